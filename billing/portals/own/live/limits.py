"""How much a buyer may call at once, in a second and in a day, and which destinations are closed to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Wallet
from accounts.selectors import money
from billing.portals.own.live.base import LiveView
from billing.portals.views import Act, FormPage
from rating.live.limits import set_limits
from rating.live.spending import set_spend_limit, spending_of
from rating.models import BarKind, CallLimit, Carrier
from rating.selectors import call_limits, prices
from rating.services.bars import Barred, add_bar, bars_of, lift_bar
from tiers.errors import NotFound
from tiers.models import Kind, Party
from tiers.roles import May
from tiers.selectors import people


class OneBuyerBelow(LiveView):
    """A party below the viewer's by its code, or 404; and the wallet with its present seller."""

    @cached_property
    def party(self) -> Party:
        found = people.parties_below(self.viewer).filter(code=self.kwargs["code"]).first()
        return found or people.party_by_code(self.viewer, "")

    @cached_property
    def wallet(self) -> Wallet | None:
        wallets = money.wallets_of(self.viewer, self.party)
        return next((one for one in wallets if one.seller.path == self.party.parent_path), None)

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.kind}:{name}", args=[self.kwargs["code"], *args])

    @property
    def party_url(self) -> str:
        return self.url("party" if self.kind == Kind.OPERATOR else "customer")


class CallLimits(OneBuyerBelow):
    """What the door checks for one buyer: limits with what is in use, and what is closed."""

    template_name = "own/live/limits.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        bars = bars_of(self.party, self.viewer)
        return self.live_page(
            party=self.party,
            party_url=self.party_url,
            limit=call_limits.limit_of(self.viewer, self.party),
            spending=spending_of(self.wallet) if self.wallet else None,
            bars=[(bar, bar.maker.is_at_or_below(self.viewer.party)) for bar in bars],
            may=self.viewer.may(May.PARTIES),
            may_money=self.viewer.may(May.MONEY),
            urls={name: f"{self.kind}:{name}" for name in ("limits_calls", "limits_spend", "bar_new", "bar_lift")},
        )


class LimitForm(forms.Form):
    max_calls = forms.IntegerField(
        label=gettext_lazy("Calls at once"),
        required=False,
        help_text=gettext_lazy("Empty: as many as there is money for."),
    )
    max_per_second = forms.IntegerField(
        label=gettext_lazy("New calls a second"),
        required=False,
        help_text=gettext_lazy("Empty: no limit. More are refused with 503, and tried again by most switches."),
    )


def initial_of(limit: CallLimit | None) -> dict[str, Any]:
    return {"max_calls": limit.max_calls, "max_per_second": limit.max_per_second} if limit else {}


class SetCallLimits(OneBuyerBelow, FormPage):
    form_class = LimitForm
    right = May.PARTIES
    verb = gettext_lazy("Save")
    lead = gettext_lazy("They count all calls of it and of everybody below it. Calls that go on are left alone.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Calls at once of %s") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("call_limits")

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": initial_of(call_limits.limit_of(self.viewer, self.party))}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        set_limits(self.party, data["max_calls"], data["max_per_second"], actor=self.viewer.actor)
        return self.go("call_limits", self.party.code, said=_("The limits are saved."))


class SpendForm(forms.Form):
    per_day = forms.DecimalField(
        label=gettext_lazy("At most a day"),
        required=False,
        max_digits=20,
        decimal_places=6,
        help_text=gettext_lazy("Empty: no limit. Calls are cut to what is left of the day, and then refused."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["per_day"].label = _("At most a day, in %s") % currency


class SetSpendLimit(OneBuyerBelow, FormPage):
    form_class = SpendForm
    right = May.MONEY
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Spend a day of %s") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("call_limits")

    @cached_property
    def its_wallet(self) -> Wallet:
        if self.wallet is None:
            raise NotFound("no_wallet", _("There is no such wallet here."))
        return self.wallet

    def form_arguments(self) -> dict[str, Any]:
        standing = spending_of(self.its_wallet)
        return {"currency": standing.currency, "initial": {"per_day": standing.per_day}}

    def save(self, form: Any) -> HttpResponse:
        set_spend_limit(self.its_wallet, form.cleaned_data["per_day"], actor=self.viewer.actor)
        return self.go("call_limits", self.party.code, said=_("The limit is saved."))


class BarForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=BarKind.choices)
    digits = forms.CharField(
        label=gettext_lazy("Prefix"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("With the country's code, such as 88 or 4470. For numbers that begin with it only."),
    )
    open = forms.BooleanField(
        label=gettext_lazy("An exception: open all the same"),
        required=False,
        help_text=gettext_lazy("From what you closed; the longest prefix decides."),
    )


class AddBar(OneBuyerBelow, FormPage):
    """Close a destination to a buyer and to all below it."""

    form_class = BarForm
    right = May.PARTIES
    verb = gettext_lazy("Close it")
    lead = gettext_lazy("New calls there are refused with 403. Emergency numbers are never closed.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Close a destination to %s") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("call_limits")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        barred = Barred(data["kind"], data["digits"], data["open"])
        add_bar(self.party, barred, by=self.viewer.party, actor=self.viewer.actor)
        return self.go("call_limits", self.party.code, said=_("It holds for new calls within seconds."))


class LiftBar(OneBuyerBelow, Act):
    right = May.PARTIES
    verb = gettext_lazy("Open it again")

    def question(self) -> str:
        for bar in bars_of(self.party, self.viewer):
            if bar.pk == self.kwargs["bar"] and bar.maker.is_at_or_below(self.viewer.party):
                what = f"+{bar.prefix}" if bar.prefix else bar.get_kind_display()
                return _("Take away “%(what)s” for %(name)s?") % {"what": what, "name": self.party.name}
        raise NotFound("bar", _("There is no such closed destination of yours."))

    def back(self) -> str:
        return self.url("call_limits")

    def act(self) -> HttpResponse:
        self.question()
        lift_bar(self.kwargs["bar"], by=self.viewer.party, actor=self.viewer.actor)
        return self.go("call_limits", self.party.code, said=_("Done."))


class CarrierLimits(LiveView, FormPage):
    """How many calls a carrier takes."""

    form_class = LimitForm
    right = May.PRICES
    verb = gettext_lazy("Save")

    @cached_property
    def carrier(self) -> Carrier:
        return prices.carrier_by_code(self.viewer, self.kwargs["code"])

    @property
    def limit(self) -> CallLimit | None:
        return call_limits.limit_of(self.viewer, self.carrier)

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Calls at once by %s") % self.carrier.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        limit = self.limit
        return _("Now %d.") % limit.active if limit else _("All live calls that go by it count. No limit is set yet.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:carrier", args=[self.kwargs["code"]])

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": initial_of(self.limit)}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        set_limits(self.carrier, data["max_calls"], data["max_per_second"], actor=self.viewer.actor)
        return self.go("carrier", self.carrier.code, said=_("The limits are saved."))
