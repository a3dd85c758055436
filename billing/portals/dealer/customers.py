"""Customers and sub-dealers: who they are, how their calls are known, by which carrier they call, who logs in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import alerts, money
from billing.portals.dealer.base import DealerAct, DealerForm, DealerView, OneBuyer
from billing.portals.filters import Filters
from billing.portals.forms.people import DetailsForm, InviteForm, NewBuyerForm
from billing.portals.keyset import page_of
from billing.portals.own.alarms.words import lines
from billing.services.buyers import WalletTerms, add_buyer
from rating.models.carriers import IdentityKind
from rating.selectors import prices, tariffs
from rating.selectors.tariffs import Offer, Tariff
from rating.services.carriers import choose_carrier
from rating.services.sources import add_identity, remove_identity
from tiers.errors import NotFound
from tiers.models import Kind, Party, Status
from tiers.roles import May
from tiers.selectors import people
from tiers.services.members import invite
from tiers.services.parties import set_status, update_party
from tiers.viewer import Viewer


class BuyerFilters(Filters):
    noun = gettext_lazy("Customers and sub-dealers")
    phrases: ClassVar[dict[str, Any]] = {
        "q": gettext_lazy("named like “%s”"),
        "kind": gettext_lazy("that are a %s"),
        "status": "%s",
        "low": "%s",
    }

    q = forms.CharField(label=gettext_lazy("Name, code or e-mail"), max_length=100)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *Kind.choices[1:]])
    status = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *Status.choices])
    low = forms.ChoiceField(label=gettext_lazy("Funds"), choices=[("", "—"), ("1", gettext_lazy("low or empty"))])


class Customers(DealerView):
    template_name = "dealer/customers.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = BuyerFilters(request)
        found = direct_buyers(self.viewer)
        if (text := filters.value("q")) is not None:
            found = people.matching(found, text)
        for name in ("kind", "status"):
            if (value := filters.value(name)) is not None:
                found = found.filter(**{name: value})
        if filters.value("low"):
            found = found.filter(pk__in=money.low_wallets(self.viewer).values("account__owner"))
        page = page_of(found, request.GET, key="path", newest_first=False, parse=str)
        placed = people.placements_now(self.viewer, page.rows)
        own = money.wallets(self.viewer).filter(account__owner__in=page.rows, seller=self.viewer.party)
        wallets = {wallet.account.owner_id: wallet for wallet in own}
        lines = [(party, placed.get(party.pk), wallets.get(party.pk)) for party in page.rows]
        return self.page(
            filters=filters,
            page=page,
            lines=lines,
            may_create=self.viewer.may(May.PARTIES),
            has_brand=bool(self.brands),
        )


class NewCustomer(DealerForm):
    """Five things first; the rest under More."""

    form_class = NewBuyerForm
    right = May.PARTIES
    heading = gettext_lazy("New customer")
    verb = gettext_lazy("Create")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("dealer:customers")

    def form_arguments(self) -> dict[str, Any]:
        return {"viewer": self.viewer, "seller": self.viewer.party}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        terms = WalletTerms(
            data["funding"] or "wholesale", data["billing"], data["credit_limit"] or Decimal(0), data["warn_below"]
        )
        party, _wallet = add_buyer(
            self.viewer.party,
            data["kind"],
            data["code"],
            data["name"],
            data["brand"],
            terms,
            actor=self.viewer.actor,
            **form.details(),
        )
        said = _("%s is created. Give it funds and invite its people.") % party.name
        return self.go("customer", party.code, said=said)


class Customer(OneBuyer, DealerView):
    template_name = "dealer/customer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        party = self.party
        tariff = Tariff(self.viewer, party)
        may = self.viewer.may
        return self.page(
            party=party,
            direct=self.direct,
            wallet=self.wallet,
            placement=people.placements_of(self.viewer, party).filter(valid_to__isnull=True).first(),
            identities=party.identities.order_by("kind", "value"),
            offers=tariff.offers(),
            choices=tariffs.choices(self.viewer, party)[:5],
            members=people.members(self.viewer, party),
            alarms=lines(alerts.of_party(self.viewer, party)),
            lists=prices.lists(self.viewer).filter(buyer=party),
            below=people.parties_below(self.viewer).filter(path__startswith=party.path, depth=party.depth + 1)[:50],
            transfers=money.transfers_of_wallet(self.viewer, self.wallet).order_by("-id")[:6] if self.wallet else [],
            may_act=may(May.ACT_FOR) and not self.viewer.acting,
            may_change=may(May.PARTIES),
            may_money=may(May.MONEY) and self.direct,
            may_members=may(May.MEMBERS),
            may_choose=may(May.CARRIER),
            may_identify=may(May.USAGE),
            may_price=may(May.PRICES),
        )


class EditCustomer(OneBuyer, DealerForm):
    form_class = DetailsForm
    right = May.PARTIES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.party_url

    def form_arguments(self) -> dict[str, Any]:
        names = ("name", *DetailsForm.DETAILS)
        return {"initial": {name: getattr(self.party, name) for name in names}}

    def save(self, form: Any) -> HttpResponse:
        update_party(self.party, actor=self.viewer.actor, name=form.cleaned_data["name"], **form.details())
        return self.go("customer", self.party.code, said=_("Saved."))


class CustomerStatus(OneBuyer, DealerAct):
    """Block, unblock or close."""

    right = May.PARTIES
    VERBS: ClassVar[dict[str, Any]] = {
        Status.ACTIVE: gettext_lazy("Unblock"),
        Status.BLOCKED: gettext_lazy("Block"),
        Status.CLOSED: gettext_lazy("Close"),
    }

    @property
    def status(self) -> Status:
        wanted: str = self.kwargs["status"]
        if wanted not in Status.values:
            raise NotFound("no_status", _("There is no such state."))
        return Status(wanted)

    @property
    def verb(self) -> str:  # type: ignore[override]
        return str(self.VERBS[self.status])

    @property
    def danger(self) -> bool:  # type: ignore[override]
        return self.status != Status.ACTIVE

    def question(self) -> str:
        return _("%(verb)s %(name)s?") % {"verb": self.verb, "name": self.party.name}

    def consequence(self) -> str:
        return {
            Status.ACTIVE: _("Its calls are allowed again, as its funds allow."),
            Status.BLOCKED: _("New calls of it and of all below it are refused. Its data, money and logins stay."),
            Status.CLOSED: _("It buys nothing any more. What it owes stays owed; its data stay to be read."),
        }[self.status]

    def back(self) -> str:
        return self.party_url

    def act(self) -> HttpResponse:
        set_status(self.party, self.status, actor=self.viewer.actor)
        return self.go("customer", self.party.code, said=_("%s: done.") % self.verb)


class InviteTo(OneBuyer, DealerForm):
    form_class = InviteForm
    right = May.MEMBERS
    verb = gettext_lazy("Invite")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Invite somebody to %s") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.party_url

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        invite(self.party, data["email"], data["role"], actor=self.viewer.actor, name=data["name"])
        return self.go("customer", self.party.code, said=_("An invitation is on its way to %s.") % data["email"])


class IdentityForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Known by"), choices=IdentityKind.choices)
    value = forms.CharField(label=gettext_lazy("Value"), max_length=64)


class AddIdentity(OneBuyer, DealerForm):
    """By what usage records are known to be this party's."""

    form_class = IdentityForm
    right = May.USAGE
    verb = gettext_lazy("Add")
    lead = gettext_lazy("Calls that carry it are this customer's. Its own code is known without being entered.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("How calls of %s are known") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.party_url

    def save(self, form: Any) -> HttpResponse:
        add_identity(self.party, form.cleaned_data["kind"], form.cleaned_data["value"], actor=self.viewer.actor)
        return self.go("customer", self.party.code, said=_("Added."))


class RemoveIdentity(OneBuyer, DealerAct):
    right = May.USAGE
    verb = gettext_lazy("Remove")
    danger = True

    @property
    def identity(self) -> Any:
        found = self.party.identities.filter(pk=self.kwargs["identity"]).first()
        if found is None:
            raise NotFound("no_identity", _("There is no such entry here."))
        return found

    def question(self) -> str:
        return _("Remove %(value)s from %(name)s?") % {"value": self.identity.value, "name": self.party.name}

    def consequence(self) -> str:
        return _("Calls that carry only this find no customer from now on. Calls already charged stay.")

    def back(self) -> str:
        return self.party_url

    def act(self) -> HttpResponse:
        remove_identity(self.identity, actor=self.viewer.actor)
        return self.go("customer", self.party.code, said=_("Removed."))


class ChooseFor(OneBuyer, DealerAct):
    """The carrier of a customer's calls abroad, chosen for it."""

    right = May.CARRIER
    verb = gettext_lazy("Choose")

    @property
    def found(self) -> tuple[Tariff, Offer]:
        if self.party.kind != Kind.CUSTOMER:
            raise NotFound("no_carrier", _("There is no such carrier here."))
        tariff = Tariff(self.viewer, self.party)
        offer = next((one for one in tariff.offers() if one.code == self.kwargs["carrier"]), None)
        if offer is None:
            raise NotFound("no_carrier", _("There is no such carrier here."))
        return tariff, offer

    def question(self) -> str:
        return _("Let calls abroad of %(name)s go by %(carrier)s?") % {
            "name": self.party.name,
            "carrier": self.found[1].name,
        }

    def consequence(self) -> str:
        return _("From now on they cost its prices. Calls under way end at the price they began with.")

    def back(self) -> str:
        return self.party_url

    def act(self) -> HttpResponse:
        tariff, offer = self.found
        choose_carrier(self.party, tariff.engine.directory.carriers[offer.code], actor=self.viewer.actor)
        return self.go("customer", self.party.code, said=_("Calls abroad go by %s from now on.") % offer.name)


def direct_buyers(viewer: Viewer) -> QuerySet[Party]:
    """Who buys from the viewer's party itself."""
    return people.parties_below(viewer).filter(depth=viewer.party.depth + 1)
