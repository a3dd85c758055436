"""Parties: the tree, one party with all that hangs on it, new ones, and how each stands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import alerts, money
from billing.portals.filters import Filters
from billing.portals.forms.people import DetailsForm, InviteForm, NewBuyerForm
from billing.portals.operator.base import OperatorAct, OperatorForm, OperatorView
from billing.portals.own.alarms.words import lines
from billing.services.buyers import WalletTerms, add_buyer
from rating.models.carriers import IdentityKind
from rating.selectors import prices
from rating.services.sources import add_identity
from tiers.errors import NotFound
from tiers.models import Kind, Party, Status
from tiers.roles import May
from tiers.selectors import people
from tiers.services.members import invite
from tiers.services.parties import set_status, update_party

MOST_IN_TREE = 500


class PartyFilters(Filters):
    noun = gettext_lazy("Parties")
    phrases: ClassVar[dict[str, Any]] = {
        "q": gettext_lazy("named like “%s”"),
        "kind": gettext_lazy("that are a %s"),
        "status": gettext_lazy("%s"),
    }

    q = forms.CharField(label=gettext_lazy("Name, code or e-mail"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *Kind.choices])
    status = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *Status.choices])


class Parties(OperatorView):
    template_name = "operator/parties.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = PartyFilters(request)
        found = people.parties(self.viewer)
        if (text := filters.value("q")) is not None:
            found = people.matching(found, text)
        for name in ("kind", "status"):
            if (value := filters.value(name)) is not None:
                found = found.filter(**{name: value})
        rows = list(found[: MOST_IN_TREE + 1])
        shown = rows[:MOST_IN_TREE]
        placed = people.placements_now(self.viewer, shown)
        wallets = {wallet.account.owner_id: wallet for wallet in money.wallets(self.viewer)}
        lines = [(party, placed.get(party.pk), wallets.get(party.pk)) for party in shown]
        return self.page(filters=filters, lines=lines, cut=len(rows) > MOST_IN_TREE, most=MOST_IN_TREE)


class OneParty:
    """Mix-in: the party that the address names by its code, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @property
    def party(self) -> Party:
        found = getattr(self, "_party", None)
        if found is None:
            found = self._party = people.party_by_code(self.viewer, self.kwargs["code"])
        return found

    @property
    def back(self) -> str:
        return reverse("operator:party", args=[self.kwargs["code"]])


class PartyPage(OneParty, OperatorView):
    template_name = "operator/party.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        party = self.party
        return self.page(
            party=party,
            above=people.parties(self.viewer).filter(path__in=party.ancestor_paths()[:-1]),
            placements=people.placements_of(self.viewer, party),
            wallets=money.wallets_of(self.viewer, party),
            buyers=people.parties_below(self.viewer).filter(path__startswith=party.path, depth=party.depth + 1)[:50],
            members=people.members(self.viewer, party),
            brands=people.brands(self.viewer).filter(owner=party),
            lists=prices.lists(self.viewer).filter(buyer=party),
            identities=party.identities.order_by("kind", "value"),
            transfers=money.transfers_of(self.viewer, party).order_by("-id")[:8],
            alarms=lines(alerts.of_party(self.viewer, party)),
            may_act=party.pk != self.viewer.party.pk and self.viewer.may(May.ACT_FOR) and not self.viewer.acting,
        )


class NewParty(OperatorForm):
    """A buyer of the operator, or (`?seller=`) of a dealer below it."""

    form_class = NewBuyerForm
    right = May.PARTIES
    verb = gettext_lazy("Create")

    @property
    def seller(self) -> Party:
        code = self.request.GET.get("seller", "")
        return people.party_by_code(self.viewer, code) if code else self.viewer.party

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("New buyer of %s") % self.seller.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:parties")

    def form_arguments(self) -> dict[str, Any]:
        if self.seller.kind == Kind.CUSTOMER:
            raise NotFound("sells_nothing", _("A customer has no buyers."))
        return {"viewer": self.viewer, "seller": self.seller}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        terms = WalletTerms(
            data["funding"] or "wholesale", data["billing"], data["credit_limit"] or Decimal(0), data["warn_below"]
        )
        party, _wallet = add_buyer(
            self.seller,
            data["kind"],
            data["code"],
            data["name"],
            data["brand"],
            terms,
            actor=self.viewer.actor,
            **form.details(),
        )
        return self.go("party", party.code, said=_("%s is created. Give it funds and invite its people.") % party.name)


class EditParty(OneParty, OperatorForm):  # type: ignore[override]
    form_class = DetailsForm
    right = May.PARTIES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.party.name

    def form_arguments(self) -> dict[str, Any]:
        names = ("name", *DetailsForm.DETAILS)
        return {"initial": {name: getattr(self.party, name) for name in names}}

    def save(self, form: Any) -> HttpResponse:
        update_party(self.party, actor=self.viewer.actor, name=form.cleaned_data["name"], **form.details())
        return self.go("party", self.party.code, said=_("Saved."))


class PartyStatus(OneParty, OperatorAct):
    """Block, unblock or close."""

    right = May.PARTIES
    VERBS: ClassVar[dict[str, Any]] = {
        Status.ACTIVE: gettext_lazy("Unblock"),
        Status.BLOCKED: gettext_lazy("Block"),
        Status.CLOSED: gettext_lazy("Close"),
    }

    @property
    def status(self) -> str:
        wanted: str = self.kwargs["status"]
        if wanted not in Status.values:
            raise NotFound("no_status", _("There is no such state."))
        return wanted

    @property
    def verb(self) -> str:  # type: ignore[override]
        return str(self.VERBS[Status(self.status)])

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
        }[Status(self.status)]

    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:party", args=[self.party.code])

    def act(self) -> HttpResponse:
        set_status(self.party, self.status, actor=self.viewer.actor)
        return self.go("party", self.party.code, said=_("%s: done.") % self.verb)


class InviteTo(OneParty, OperatorForm):  # type: ignore[override]
    form_class = InviteForm
    right = May.MEMBERS
    verb = gettext_lazy("Invite")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Invite somebody to %s") % self.party.name

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        invite(self.party, data["email"], data["role"], actor=self.viewer.actor, name=data["name"])
        return self.go("party", self.party.code, said=_("An invitation is on its way to %s.") % data["email"])


class IdentityForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Known by"), choices=IdentityKind.choices)
    value = forms.CharField(label=gettext_lazy("Value"), max_length=64)


class AddIdentity(OneParty, OperatorForm):  # type: ignore[override]
    """By what usage records are known to be this party's."""

    form_class = IdentityForm
    right = May.USAGE
    verb = gettext_lazy("Add")
    lead = gettext_lazy("Usage records that carry it are this party's. Its own code is known without being entered.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("How calls of %s are known") % self.party.name

    def save(self, form: Any) -> HttpResponse:
        add_identity(self.party, form.cleaned_data["kind"], form.cleaned_data["value"], actor=self.viewer.actor)
        return self.go("party", self.party.code, said=_("Added."))
