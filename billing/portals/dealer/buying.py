"""What the dealer pays, and what one call would cost and bring: never a figure from above its seller."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.customer.prices import LONGEST_SEARCH, number_price, price_words
from billing.portals.dealer.lists import PriceView
from billing.portals.losses import below_cost_page
from billing.portals.own.compare import ComparePage
from billing.portals.own.dial_plans import TryNumbers
from billing.portals.shown import shown
from rating.pricing import Engine
from rating.pricing.engine import TierPrice
from rating.selectors import prices
from rating.selectors.compare import Side, sale_sides
from rating.selectors.tariffs import Tariff
from rating.services.quote import MAX_DURATION_S, Question, explain_found, quote
from tiers.errors import Conflict, TollgateError
from tiers.models import Kind, Party
from tiers.selectors import people

MOST_ROWS = 200


class BuyPrices(PriceView):
    """The dealer's own tariff, by carrier."""

    template_name = "dealer/buy_prices.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("to", "").strip()[:LONGEST_SEARCH]
        offers = self.bought.offers()
        carrier = next((one for one in offers if one.code == request.GET.get("carrier")), None)
        carrier = carrier or next((one for one in offers if one.chosen), None)
        by = carrier.id if carrier else None
        rows, cut = self.bought.search(text, by) if text else ([], False)
        usual = [found for number in self.numbers() if (found := self.bought.of_digits(number, by)) is not None]
        return self.page(
            tabs=self.tabs(),
            text=text,
            offers=offers,
            carrier=carrier,
            number=number_price(self.bought, text),
            rows=[price_words(row) for row in rows[:MOST_ROWS]],
            cut=cut or len(rows) > MOST_ROWS,
            usual=usual,
            shown=shown(request, self.bought.currency),
        )


class Compare(ComparePage, PriceView):
    """What it pays by each carrier, or what one of its brands asks, cheapest first."""

    def choices(self) -> list[tuple[str, str]]:
        return [("pay", _("What you pay")), *((one.code, _("What %s charges") % one.name) for one in self.brands)]

    def sides(self, what: str, at: datetime) -> tuple[list[Side], str]:
        engine = self.bought.engine
        brand = next((one for one in self.brands if one.code == what), None)
        if brand is not None:
            return sale_sides(engine, brand.pk, None, at), brand.currency
        links = engine.directory.chain(self.viewer.party.pk, at)
        if not links:
            return [], self.bought.currency
        return sale_sides(engine, links[0].brand, self.viewer.party.pk, at), self.bought.currency


class BelowCost(PriceView):
    """What the dealer sells below its cost now, worst first, over all carriers that a customer may choose."""

    template_name = "dealer/below_cost.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        own = prices.lists(self.viewer).filter(seller=self.viewer.party)
        return self.page(
            tabs=self.tabs(),
            found=below_cost_page(own, self.bought.engine, timezone.now(), request.GET.get("list", "")),
        )


class Numbers(PriceView, TryNumbers):
    """How numbers are read by the dealer's dial plans."""


class TryForm(forms.Form):
    """A call that might be made."""

    customer = forms.ModelChoiceField(label=gettext_lazy("Customer"), queryset=Party.visible.none())
    to = forms.CharField(label=gettext_lazy("Number"), max_length=40)
    seconds = forms.IntegerField(label=gettext_lazy("Seconds"), min_value=0, max_value=MAX_DURATION_S, initial=60)
    carrier = forms.ChoiceField(label=gettext_lazy("Carrier"), required=False)

    def __init__(self, *args: Any, viewer: Any, carriers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customer, carrier = self.fields["customer"], self.fields["carrier"]
        assert isinstance(customer, forms.ModelChoiceField)
        assert isinstance(carrier, forms.ChoiceField)
        customer.queryset = people.parties_below(viewer).filter(kind=Kind.CUSTOMER)
        customer.to_field_name = "code"
        carrier.choices = [("", _("as the customer chose")), *carriers]


class TryNumber(PriceView):
    """One call, as it would be sold and bought, with both explanations."""

    template_name = "dealer/try.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        carriers = [(one.code, one.name) for one in self.bought.offers()]
        asked = request.GET if "to" in request.GET else None
        form = TryForm(asked, viewer=self.viewer, carriers=carriers)
        result = None
        if asked is not None and form.is_valid():
            try:
                result = self.result(form.cleaned_data)
            except TollgateError as error:
                form.add_error("to", self.words(error))
        return self.page(tabs=self.tabs(), form=form, result=result)

    def result(self, data: dict[str, Any]) -> dict[str, Any]:
        engine: Engine = self.bought.engine
        carrier = engine.directory.carriers[data["carrier"]].pk if data["carrier"] else None
        question = Question(data["customer"], data["to"], data["seconds"], timezone.now(), carrier)
        priced = quote(question, engine)
        me = self.viewer.party.pk
        sold = next((tier for tier in priced.tiers if tier.link.seller == me), None)
        paid = next((tier for tier in priced.tiers if tier.link.buyer == me), None)
        number, _abroad = Tariff(self.viewer, data["customer"], engine=engine).number(data["to"])
        same = sold is not None and paid is not None and _currency(sold) == _currency(paid)
        return {
            "number": number.e164,
            "seconds": data["seconds"],
            "sold": _side(sold, question),
            "paid": _side(paid, question),
            "margin": sold.amount - paid.amount if same and sold and paid else None,
        }

    def words(self, error: TollgateError) -> str:
        """What is missing; a tier above the dealer's seller is not named."""
        hidden = people.names_above_seller(self.viewer)
        if isinstance(error, Conflict) and any(name in error.message for name in hidden):
            return _("There is no price for it above you. Ask your seller.")
        return error.message


def _currency(tier: TierPrice) -> str:
    return tier.found.measure.currency


def _side(tier: TierPrice | None, question: Question) -> dict[str, Any] | None:
    """A sale or a purchase: only the sale says where its rate comes from."""
    if tier is None:
        return None
    lines = explain_found(tier.found, tier.charge, question.duration_s, question.at)
    own = [line for line in lines if line["rule"] not in {"derivation", "rate", "rule"}]
    return {
        "amount": tier.amount,
        "currency": _currency(tier),
        "decimals": tier.found.measure.decimals,
        "destination": tier.found.row.destination,
        "price": tier.found.row.price,
        "billed_s": tier.charge.billed_s,
        "lines": lines,
        "plain_lines": own,
    }
