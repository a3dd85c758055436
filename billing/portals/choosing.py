"""The choice of carriers by a one-time link from the seller's own web site: one page, for one customer, for a while.

The session only remembers which link was opened. Nobody is logged in by it, so every other page stays shut, and a
member who is logged in in the same browser stays who he is.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from billing.portals.look import look_of
from billing.portals.shown import shown
from billing.portals.views import sentence
from rating.models import CarrierLink
from rating.selectors import tariffs
from rating.selectors.offers import compared
from rating.selectors.tariffs import Tariff
from rating.services.carriers import choose_carrier
from rating.services.links import open_link as spend
from rating.services.links import viewer_of_link
from tiers.errors import NotFound, TollgateError
from tiers.viewer import Viewer

LINK = "carrier_link"
GONE = 410


@never_cache
@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Spend the link and go to the page, so that the token leaves the address bar. A look ahead spends none."""
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return HttpResponse(status=503)
    try:
        link = spend(token, address=request.META.get("REMOTE_ADDR") or None)
    except NotFound as error:
        return gone(request, sentence(error))
    request.session.cycle_key()
    request.session[LINK] = str(link.pk)
    response = HttpResponseRedirect(reverse("choose"))
    response["Referrer-Policy"] = "no-referrer"
    return response


class Choose(View):
    """What the customer's own destinations cost with each carrier; the choice holds from now on."""

    link: CarrierLink
    viewer: Viewer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = viewer_of_link(request.session.get(LINK))
        if found is None:
            request.session.pop(LINK, None)
            return gone(request, _("Open this page by the link on your provider's web site."))
        self.link, self.viewer = found
        request.viewer = self.viewer  # type: ignore[attr-defined]
        language = self.viewer.party.language or translation.get_language() or "en"
        with timezone.override(look_of(request).zone), translation.override(language):
            return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = request.GET.get("now", "")
        return self.show(now=chosen)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            carrier = Tariff(self.viewer, self.viewer.party).carrier_offered(request.POST.get("carrier", ""))
            choose_carrier(self.viewer.party, carrier, actor=self.viewer.actor)
        except TollgateError as error:
            return self.show(refused=sentence(error))
        return HttpResponseRedirect(f"{reverse('choose')}?{urlencode({'now': carrier.code})}")

    def show(self, now: str = "", refused: str = "") -> HttpResponse:
        tariff = Tariff(self.viewer, self.viewer.party)
        offers = tariff.offers()
        chosen = next((one.name for one in offers if one.chosen and one.code == now), "")
        response = render(
            self.request,
            "choose.html",
            {
                "said": _("Calls abroad go by %s from now on.") % chosen if chosen else "",
                "refused": refused,
                "link": self.link,
                "offers": offers,
                "compared": compared(self.viewer, tariff, offers),
                "choices": tariffs.choices(self.viewer, self.viewer.party)[:5],
                "may_choose": True,
                "choose_by_post": True,
                "shown": shown(self.request, tariff.currency),
            },
        )
        response["Cache-Control"] = "no-store, private"
        return response


def gone(request: HttpRequest, hint: str) -> HttpResponse:
    title = _("This link does not open any more")
    return render(request, "choose_gone.html", {"title": title, "hint": hint}, status=GONE)
