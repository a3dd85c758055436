"""The end user's addresses, by what people do."""

from __future__ import annotations

from django.urls import path

from billing.portals.customer import account, calls, home, invoices, prices, reports, subscriptions
from billing.portals.own.alarms.urls import alarm_paths
from billing.portals.own.live.urls import live_paths

app_name = "customer"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("calls/", calls.Calls.as_view(), name="calls"),
    path("calls/export.csv", calls.Calls.as_view(as_file=True), name="calls_csv"),
    path("calls/spending/", reports.Reports.as_view(), name="reports"),
    path("calls/spending/file/<slug:kind>/", reports.Reports.as_view(), name="report_file"),
    path("calls/<uuid:call>/", calls.CallPage.as_view(), name="call"),
    path("prices/", prices.Prices.as_view(), name="prices"),
    path("prices/carrier/<slug:carrier>/", prices.ChooseCarrier.as_view(), name="carrier"),
    path("invoices/", invoices.Invoices.as_view(), name="invoices"),
    path("invoices/<uuid:invoice>/", invoices.InvoicePage.as_view(), name="invoice"),
    path("invoices/<uuid:invoice>/<slug:kind>/", invoices.Download.as_view(), name="invoice_file"),
    path("subscriptions/", subscriptions.Subscriptions.as_view(), name="subscriptions"),
    path("account/", account.Account.as_view(), name="account"),
    path("account/details/", account.EditDetails.as_view(), name="details"),
    path("account/warning/", account.EditWarning.as_view(), name="warning"),
    path("account/members/", account.Members.as_view(), name="members"),
    path("account/members/invite/", account.Invite.as_view(), name="member_invite"),
    path("account/members/<uuid:member>/", account.EditMember.as_view(), name="member"),
    path("account/members/<uuid:member>/switch/", account.SwitchMember.as_view(), name="member_switch"),
    path("account/keys/new/", account.NewKey.as_view(), name="key_new"),
    path("account/keys/<str:prefix>/revoke/", account.RevokeKey.as_view(), name="key_revoke"),
    *live_paths("customer"),
    *alarm_paths("customer"),
]
