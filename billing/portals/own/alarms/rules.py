"""Rules of alarms: what a seller watches of all its buyers and of one, and what a party watches of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import BLOCKING, AlertKind, AlertRule
from accounts.selectors import alerts, money
from accounts.services.alert_rules import BUILT_IN, IN_CURRENCY, USUAL, Terms, drop_rule, set_rule, terms_of
from billing.portals.own.alarms.words import ABOUT, condition, deeds
from billing.portals.views import Act, FormPage, PortalView
from tiers.errors import NotFound
from tiers.models import Kind, Party
from tiers.roles import May
from tiers.selectors import people

OWN_KINDS = (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY, AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY, AlertKind.PLACES)
"""What a party can watch of itself by a rule of its own; its warning balance stands with its wallet."""
TOLD_KINDS = (AlertKind.LOW, AlertKind.EMPTY, AlertKind.BLOCKED)
"""Of these a party's own rule says only who else of it is told."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule as it holds: `standing` says where it comes from; `rule` where there is a written one to take away."""

    kind: AlertKind
    about: str
    when: str
    does: str
    url: str
    off: bool = False
    standing: str = ""
    rule: UUID | None = None
    party: Party | None = None


class Rules(PortalView):
    """What holds for all buyers, the exceptions for single ones, and the rules for the party itself."""

    kind = ""
    template_name = "own/alarms/rules.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        written = list(alerts.rules(self.viewer))
        own = [row for row in written if row.party_id == self.viewer.party.pk]
        singles = [row for row in written if row.party_id not in (None, self.viewer.party.pk)]
        sells = self.kind != Kind.CUSTOMER
        everybody = [row for row in written if row.party_id is None]
        return self.page(
            everybody=self.rows(AlertKind, everybody, BUILT_IN) if sells else [],
            singles=[self.row(AlertKind(row.kind), terms_of(row), row) for row in singles],
            own=self.rows((*OWN_KINDS, *TOLD_KINDS), own, {}, own=True) if self.kind != Kind.OPERATOR else [],
            sells=sells,
            may=self.viewer.may(May.PARTIES),
            may_money=self.viewer.may(May.MONEY),
            wallet=money.wallets_of(self.viewer, self.viewer.party).first(),
            ns=self.kind,
        )

    def rows(
        self, kinds: Iterable[AlertKind], written: Iterable[AlertRule], built_in: dict[str, Terms], *, own: bool = False
    ) -> list[Row]:
        """One row for each kind and currency; where nothing is written, what the product does by itself, or nothing."""
        found = []
        for kind in kinds:
            mine = [row for row in written if row.kind == kind]
            found += [self.row(kind, terms_of(row), row, own=own) for row in mine]
            if not mine:
                found.append(self.row(kind, built_in.get(kind), None, own=own))
        return found

    def row(self, kind: AlertKind, terms: Terms | None, rule: AlertRule | None, *, own: bool = False) -> Row:
        held = terms or Terms(enabled=False)
        code = self.viewer.party.code if own else (rule.party.code if rule is not None and rule.party else "")
        name, args = ("alarm_rule_for", [kind, code]) if code else ("alarm_rule", [kind])
        query = f"?currency={held.currency}" if held.currency else ""
        told = own and kind in TOLD_KINDS
        return Row(
            kind=kind,
            about=ABOUT[kind](),
            when=_("as your seller's rule says") if told else condition(kind, held),
            does=_("mails also %s") % ", ".join(held.also_to) if told and held.also_to else deeds(held, own=own),
            url=reverse(f"{self.kind}:{name}", args=args) + query,
            off=not held.enabled and not told,
            standing="" if rule is not None or not held.enabled else _("unless you say otherwise"),
            rule=rule.pk if rule is not None else None,
            party=rule.party if rule is not None else None,
        )


class RulesFor(Rules):
    """What holds for one buyer: its own line where there is one, else what holds for all."""

    template_name = "own/alarms/rules_for.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        party = buyer_of(self)
        written = {row.pk: row for row in alerts.rules(self.viewer)}
        held = alerts.held_for(self.viewer, party)
        rows = []
        for kind in AlertKind:
            mine = [one for one in held if one.kind == kind]
            off = [row for row in written.values() if row.kind == kind and row.party_id == party.pk and not row.enabled]
            for one in mine:
                rule = written.get(one.rule) if one.rule else None
                rows.append(self._row_for(party, kind, one.terms, rule))
            rows += [self._row_for(party, kind, terms_of(row), row) for row in off if kind != AlertKind.LOW]
            if not mine and not off:
                rows.append(self._row_for(party, kind, Terms(enabled=False), None))
        return self.page(party=party, rows=rows, may=self.viewer.may(May.PARTIES), ns=self.kind)

    def _row_for(self, party: Party, kind: AlertKind, terms: Terms, rule: AlertRule | None) -> Row:
        single = rule is not None and rule.party_id == party.pk
        query = f"?currency={terms.currency}" if terms.currency else ""
        return Row(
            kind=kind,
            about=ABOUT[kind](),
            when=condition(kind, terms),
            does=deeds(terms),
            url=reverse(f"{self.kind}:alarm_rule_for", args=[kind, party.code]) + query,
            off=not terms.enabled,
            standing=_("for it alone") if single else (_("as for all") if terms.enabled else ""),
            rule=rule.pk if single and rule is not None else None,
            party=party,
        )


class RuleForm(forms.Form):
    """The fields of one kind; what a kind does not know is taken away."""

    enabled = forms.BooleanField(label=gettext_lazy("Watch this"), required=False)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    threshold = forms.DecimalField(label=gettext_lazy("Amount"), max_digits=20, decimal_places=6, min_value=0)
    factor = forms.DecimalField(
        label=gettext_lazy("Times the usual"),
        max_digits=6,
        decimal_places=2,
        help_text=gettext_lazy("The usual is the median of the same hour or weekday of the last four weeks."),
    )
    most_countries = forms.IntegerField(label=gettext_lazy("At most so many countries in an hour"), required=False)
    most_addresses = forms.IntegerField(label=gettext_lazy("At most so many addresses in an hour"), required=False)
    tell_buyer = forms.BooleanField(label=gettext_lazy("Mail to the buyer"), required=False)
    tell_seller = forms.BooleanField(label=gettext_lazy("Mail to you"), required=False)
    also_to = forms.CharField(
        label=gettext_lazy("Further addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One on each line, at most ten."),
    )
    block = forms.BooleanField(
        label=gettext_lazy("Block it"),
        required=False,
        help_text=gettext_lazy("New calls are refused until somebody unblocks it. Emergency calls always go through."),
    )

    def __init__(self, *args: Any, kind: str, own: bool, currencies: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        dropped = {name for name, kinds in FIELDS.items() if kind not in kinds}
        if own:
            dropped |= {"block", "tell_seller"}
            if kind in TOLD_KINDS:
                dropped |= {"currency", "threshold", "tell_buyer", "enabled"}
        for name in dropped:
            del self.fields[name]
        if "currency" in self.fields:
            self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]
        if kind == AlertKind.LOW and "threshold" in self.fields:
            self.fields["threshold"].required = self.fields["currency"].required = False
            self.fields["threshold"].label = _("Warning balance of who has none of its own")
        if kind in USUAL:
            self.fields["threshold"].label = _("And at least")
            self.fields["threshold"].help_text = _("Less than this is never told, however unusual.")
        if own and "tell_buyer" in self.fields:
            self.fields["tell_buyer"].label = _("Mail to you")

    def terms(self) -> Terms:
        """What was filled in. An amount that may be empty takes its currency with it."""
        data = self.cleaned_data
        given = {name: data[name] for name in self.fields if name != "also_to"}
        if "threshold" in given and given["threshold"] is None:
            given["currency"] = ""
        return Terms(**given, also_to=tuple(data.get("also_to", "").split()))


FIELDS: dict[str, tuple[str, ...]] = {
    "currency": tuple(IN_CURRENCY),
    "threshold": tuple(IN_CURRENCY),
    "factor": tuple(USUAL),
    "most_countries": (AlertKind.PLACES,),
    "most_addresses": (AlertKind.PLACES,),
    "block": tuple(BLOCKING),
}


class SetRule(FormPage):
    """Write the rule of a kind: for all buyers, or (`code` in the address) for one, or for the party itself."""

    kind = ""
    form_class = RuleForm
    right = May.PARTIES
    verb = gettext_lazy("Save")

    @cached_property
    def party(self) -> Party | None:
        code = self.kwargs.get("code")
        if code is None and self.kind == Kind.CUSTOMER:
            return self.viewer.party
        return people.party_by_code(self.viewer, code) if code is not None else None

    @property
    def own(self) -> bool:
        return self.party is not None and self.party.pk == self.viewer.party.pk

    @property
    def rule_kind(self) -> AlertKind:
        asked = self.kwargs["rule_kind"]
        known = (*OWN_KINDS, *TOLD_KINDS) if self.own else tuple(AlertKind)
        if asked not in known or (self.own and self.kind == Kind.OPERATOR):
            raise NotFound("no_kind", _("There is no such kind of rule."))
        return AlertKind(asked)

    @property
    def heading(self) -> str:  # type: ignore[override]
        whose = _("all your buyers") if self.party is None else self.party.name
        return _("%(kind)s: rule for %(whose)s") % {"kind": self.rule_kind.label, "whose": whose}

    @property
    def lead(self) -> str:  # type: ignore[override]
        about = ABOUT[self.rule_kind]()
        if self.rule_kind == AlertKind.SPEND_DAY and not self.own:
            limit = _("This tells afterwards. A limit that refuses the call itself is set with the call limits.")
            return f"{about} {limit}"
        return str(about)

    @property
    def back(self) -> str:  # type: ignore[override]
        if self.party is None or self.own:
            return reverse(f"{self.kind}:alarm_rules")
        return reverse(f"{self.kind}:alarm_rules_for", args=[self.party.code])

    @cached_property
    def currencies(self) -> list[str]:
        """What the buyers pay in: the party's wallets, else the brands that the seller sells under."""
        if self.party is not None:
            found = [wallet.account.currency for wallet in money.wallets_of(self.viewer, self.party)]
        else:
            found = [brand.currency for brand in people.own_brands(self.viewer)]
        return list(dict.fromkeys(found)) or ["USD"]

    def form_arguments(self) -> dict[str, Any]:
        kind = self.rule_kind
        currency = self.request.GET.get("currency", "") or (self.currencies[0] if kind in IN_CURRENCY else "")
        initial = shown(self.held(currency))
        if kind in IN_CURRENCY:
            initial["currency"] = currency
        return {"kind": kind, "own": self.own, "currencies": self.currencies, "initial": initial}

    def held(self, currency: str) -> Terms:
        """What is in force now: the written rule, else what holds for all, else what the product does."""
        kind = self.rule_kind
        rows = [row for row in alerts.rules(self.viewer) if row.kind == kind and row.currency in ("", currency)]
        whose = [self.party.pk if self.party else None, *([None] if self.party and not self.own else [])]
        for key in whose:
            found = next((row for row in rows if row.party_id == key), None)
            if found is not None:
                return terms_of(found)
        return BUILT_IN.get(kind, Terms()) if not self.own else Terms()

    def save(self, form: Any) -> HttpResponse:
        set_rule(self.viewer.party, self.party, self.rule_kind, form.terms(), actor=self.viewer.actor)
        if self.party is None or self.own:
            return self.go("alarm_rules", said=_("Saved. It holds from the next minute on."))
        return self.go("alarm_rules_for", self.party.code, said=_("Saved. It holds from the next minute on."))


class EndRule(Act):
    """Take a written rule away."""

    kind = ""
    right = May.PARTIES
    verb = gettext_lazy("Take away")
    danger = True

    @cached_property
    def rule(self) -> AlertRule:
        return alerts.rule_by_id(self.viewer, self.kwargs["rule"])

    def question(self) -> str:
        return _("Take away the rule “%s”?") % AlertKind(self.rule.kind).label

    def consequence(self) -> str:
        if self.rule.party_id == self.viewer.party.pk:
            return _("You are no longer mailed by it. What your seller watches stays.")
        if self.rule.party is not None:
            return _("What you have set for all buyers holds for %s again.") % self.rule.party.name
        return _("What the product does by itself holds again. Rules for single buyers stay.")

    def back(self) -> str:
        return reverse(f"{self.kind}:alarm_rules")

    def act(self) -> HttpResponse:
        drop_rule(self.rule, actor=self.viewer.actor)
        return self.go("alarm_rules", said=_("Taken away."))


def shown(terms: Terms) -> dict[str, Any]:
    """A form's first values: numbers without trailing zeros, addresses line by line."""
    found: dict[str, Any] = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    for name in ("threshold", "factor"):
        found[name] = None if found[name] is None else f"{found[name].normalize():f}"
    return found | {"also_to": "\n".join(terms.also_to)}


def buyer_of(view: PortalView) -> Party:
    """The party below that the address names; 404 for the viewer's own."""
    party = people.party_by_code(view.viewer, view.kwargs["code"])
    if party.pk == view.viewer.party.pk:
        raise NotFound("no_party", _("There is no such party here."))
    return party
