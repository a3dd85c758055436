"""The addresses that people use: the way in, the frame's own, the three portals, the demo's mail box."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from billing.portals import choosing, frame, mailbox

urlpatterns = [
    path("", frame.front_door, name="front_door"),
    path("alarms/<uuid:alarm>/", frame.alarm, name="alarm"),
    path("look.css", frame.look_css, name="look_css"),
    path("look/logo.png", frame.look_logo, name="look_logo"),
    path("act/", frame.start_acting, name="start_acting"),
    path("act/stop/", frame.stop_acting, name="stop_acting"),
    path("language/", set_language, name="set_language"),
    path("choose/", choosing.Choose.as_view(), name="choose"),
    path("choose/<str:token>/", choosing.open_link, name="choose_open"),
    path("operator/", include("billing.portals.operator.urls")),
    path("dealer/", include("billing.portals.dealer.urls")),
    path("customer/", include("billing.portals.customer.urls")),
    path("demo/mail/", mailbox.mails, name="demo_mail"),
    path("demo/mail/<str:key>/", mailbox.mail, name="demo_mail_one"),
    path("demo/mail/<str:key>/body/", mailbox.body, name="demo_mail_body"),
    path("demo/mail/<str:key>/<int:index>/", mailbox.attachment, name="demo_mail_attachment"),
]
