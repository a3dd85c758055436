"""Prices: what a destination or a number costs, and which carrier takes the calls abroad."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import phone_text
from billing.portals.customer.base import CustomerAct, CustomerView
from billing.portals.own.calls import increments
from billing.portals.shown import shown
from rating.selectors import tariffs
from rating.selectors.offers import compared
from rating.selectors.tariffs import SHORTEST_NUMBER, Offer, PriceRow, Tariff
from rating.services.carriers import choose_carrier
from tiers.errors import Invalid, NotFound
from tiers.roles import May

LONGEST_SEARCH = 60


class Prices(CustomerView):
    template_name = "customer/prices.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("to", "").strip()[:LONGEST_SEARCH]
        offers = self.tariff.offers()
        rows, cut = self.tariff.search(text) if text else ([], False)
        return self.page(
            text=text,
            number=number_price(self.tariff, text),
            rows=[price_words(row) for row in rows[:200]],
            cut=cut or len(rows) > 200,
            offers=offers,
            compared=compared(self.viewer, self.tariff, offers),
            may_choose=self.viewer.may(May.CARRIER),
            shown=shown(request, self.tariff.currency),
            choices=tariffs.choices(self.viewer, self.viewer.party),
        )


def number_price(tariff: Tariff, text: str) -> dict[str, Any] | None:
    """What one number costs, where the text is a number; with the reason where it cannot be one."""
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) < SHORTEST_NUMBER or any(char.isalpha() for char in text):
        return None
    try:
        number, _abroad = tariff.number(text)
    except Invalid as error:
        return {"shown": text, "problem": error.message}
    found = tariff.of_number(number)
    shown = phone_text(number.e164) if number.is_e164 else number.e164
    if found is None or found.row.blocked:
        return {"shown": shown, "problem": _("It has no price, so it cannot be called.")}
    return {"shown": shown, "row": price_words(tariffs.merged([(found.row.prefix, found)])[0])}


def price_words(row: PriceRow) -> dict[str, Any]:
    return {"row": row, "increments": increments(row.first_s, row.step_s)}


class ChooseCarrier(CustomerAct):
    """From now on calls abroad go by this carrier, at its prices."""

    right = May.CARRIER
    verb = gettext_lazy("Choose")

    @property
    def offer(self) -> Offer:
        found = next((one for one in self.tariff.offers() if one.code == self.kwargs["carrier"]), None)
        if found is None:
            raise NotFound("no_carrier", _("There is no such carrier here."))
        return found

    def question(self) -> str:
        return _("Choose %s for calls abroad?") % self.offer.name

    def consequence(self) -> str:
        return _("From now on calls abroad cost its prices. Calls under way end at the price they began with.")

    def back(self) -> str:
        return reverse("customer:prices")

    def act(self) -> HttpResponse:
        offer = self.offer
        carrier = self.tariff.engine.directory.carriers[offer.code]
        choose_carrier(self.viewer.party, carrier, actor=self.viewer.actor)
        return self.go("prices", said=_("Calls abroad go by %s from now on.") % offer.name)
