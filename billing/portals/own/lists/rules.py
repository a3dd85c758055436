"""Rules of a list: other terms for a class of calls, a group of destinations or a prefix, from a date on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.losses import AsksAboutLoss
from billing.portals.own.lists.base import ListView
from billing.portals.views import Act, FormPage
from rating.models import DestinationGroup, ListRule
from rating.models.rules import PRICED_CLASSES
from rating.selectors import prices
from rating.services.list_rules import Target, end_list_rule, set_list_rule
from rating.services.rate_changes import cancel_rule
from tiers.errors import NotFound
from tiers.roles import May

PREFIX, GROUP, CLASS = "prefix:", "group:", "class:"


def rule_name(rule: ListRule) -> str:
    """`mobile calls`, `the group Near`, `+4420`."""
    if rule.prefix is not None:
        return f"+{rule.prefix}"
    if rule.group is not None:
        return rule.group.name
    return _("%s calls") % dict(PRICED_CLASSES)[rule.service_class or ""]


class Rules(ListView):
    template_name = "own/list_rules.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = timezone.now()
        found = prices.rules(self.viewer, self.price_list)
        held = prices.rules_at(found, now)
        over = [rule for rule in found if rule.valid_from <= now and rule not in held]
        answer: HttpResponse = self.list_page(
            rules=[(rule_name(rule), rule) for rule in held],
            coming=[(rule_name(rule), rule) for rule in reversed(found) if rule.valid_from > now],
            over=[(rule_name(rule), rule) for rule in over[:20]],
            terms=prices.terms_now([self.price_list], now).get(self.price_list.pk),
            has_base=bool(self.price_list.base_table_id or self.price_list.base_list_id),
        )
        return answer


class RuleForm(forms.Form):
    """One rule. What is left empty is as with the next less specific rule, in the end as in the list."""

    more: ClassVar[tuple[str, ...]] = ("connect_fee", "first_s", "step_s", "min_charge")
    TERMS: ClassVar[tuple[str, ...]] = ("addon", "connect_fee", "first_s", "step_s", "min_charge")

    target = forms.ChoiceField(label=gettext_lazy("For"), help_text=gettext_lazy("The most specific rule holds."))
    prefix = forms.RegexField(  # type: ignore[assignment]
        r"^\+?[0-9 ]{1,20}$",
        label=gettext_lazy("Numbers that begin with"),
        required=False,
        help_text=gettext_lazy("For a rule by prefix: with country code, such as 4420 for London."),
        error_messages={"invalid": gettext_lazy("Digits only, with the country code.")},
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Mark-up in percent"),
        required=False,
        min_value=Decimal("-99.99"),
        max_value=Decimal(10_000),
        decimal_places=4,
        help_text=gettext_lazy("Empty: as in the list, or a less specific rule."),
    )
    addon = forms.DecimalField(
        label=gettext_lazy("Add-on per minute"),
        required=False,
        min_value=Decimal(0),
        max_digits=18,
        decimal_places=8,
    )
    valid_from = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: from now on. Never backwards."),
    )
    connect_fee = forms.DecimalField(
        label=gettext_lazy("Connection charge"),
        required=False,
        min_value=Decimal(0),
        max_digits=18,
        decimal_places=8,
    )
    first_s = forms.IntegerField(
        label=gettext_lazy("First increment, seconds"), required=False, min_value=1, max_value=3600
    )
    step_s = forms.IntegerField(
        label=gettext_lazy("Further increments, seconds"), required=False, min_value=1, max_value=3600
    )
    min_charge = forms.DecimalField(
        label=gettext_lazy("At least for a call"),
        required=False,
        min_value=Decimal(0),
        max_digits=18,
        decimal_places=8,
    )

    def __init__(self, *args: Any, groups: list[DestinationGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups = {group.code: group for group in groups}
        target = self.fields["target"]
        assert isinstance(target, forms.ChoiceField)
        choices: list[Any] = [(PREFIX, _("numbers that begin with …"))]
        if groups:
            choices.append((_("Groups of destinations"), [(f"{GROUP}{one.code}", one.name) for one in groups]))
        classes = [(f"{CLASS}{code}", _("%s calls") % name) for code, name in PRICED_CLASSES]
        target.choices = [*choices, (_("Classes of calls"), classes)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("target") == PREFIX and not data.get("prefix") and "prefix" not in self.errors:
            self.add_error("prefix", _("For which numbers? Give their first digits."))
        moment = data.get("valid_from")
        if moment is not None and moment < timezone.now():
            self.add_error("valid_from", _("That moment has passed; calls of then keep their prices."))
        return data

    def of(self) -> Target:
        data = self.cleaned_data
        kind, _colon, value = str(data["target"]).partition(":")
        if kind == "group":
            return Target(group=self._groups[value])
        if kind == "class":
            return Target(service_class=value)
        return Target(prefix="".join(char for char in data["prefix"] if char.isdigit()))

    def terms(self) -> dict[str, Any]:
        data = self.cleaned_data
        markup = None if data["percent"] is None else data["percent"] / 100
        return {"markup": markup, **{name: data[name] for name in self.TERMS}}


class SetRule(AsksAboutLoss, ListView, FormPage):
    """A new rule, or (with ?rule=) other terms for what one is for."""

    form_class = RuleForm
    right = May.PRICES
    own_only = True
    verb = gettext_lazy("Save")
    lead = gettext_lazy(
        "The longest prefix goes before a group, a group before a class of calls, that before the list."
    )

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Rule of %s") % self.price_list.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("list_rules")

    def form_arguments(self) -> dict[str, Any]:
        groups = list(prices.groups(self.viewer).filter(seller=self.viewer.party))
        asked = self.request.GET.get("rule", "")
        known = [one for one in prices.rules(self.viewer, self.price_list) if str(one.pk) == asked]
        return {"groups": groups, "initial": _initial(known[0]) if known else {}}

    def save(self, form: Any) -> HttpResponse:
        moment = form.cleaned_data["valid_from"]
        set_list_rule(
            self.price_list,
            form.of(),
            actor=self.viewer.actor,
            valid_from=moment,
            accept_loss=self.accepted,
            **form.terms(),
        )
        said = _("The rule is entered for its day.") if moment else _("The rule holds from now on.")
        return self.go("list_rules", self.price_list.code, said=said)


def _initial(rule: ListRule) -> dict[str, Any]:
    target = PREFIX if rule.prefix else f"{GROUP}{rule.group.code}" if rule.group else f"{CLASS}{rule.service_class}"
    percent = None if rule.markup is None else f"{(rule.markup * 100).normalize():f}"
    terms = {name: _short(getattr(rule, name)) for name in RuleForm.TERMS}
    return {"target": target, "prefix": rule.prefix or "", "percent": percent, **terms}


def _short(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class EndRule(ListView, Act):
    """A rule that holds is ended; one that is to come is taken back."""

    right = May.PRICES
    own_only = True
    danger = True

    @cached_property
    def rule(self) -> ListRule:
        found = [one for one in prices.rules(self.viewer, self.price_list) if one.pk == self.kwargs["rule"]]
        if not found:
            raise NotFound("no_rule", _("There is no such rule here."))
        return found[0]

    @property
    def to_come(self) -> bool:
        return self.rule.valid_from > timezone.now()

    @property
    def verb(self) -> str:  # type: ignore[override]
        return _("Take it back") if self.to_come else _("End this rule")

    def question(self) -> str:
        if self.to_come and self.rule.off:
            return _("Keep the rule for %s?") % rule_name(self.rule)
        if self.to_come:
            return _("Take back the rule for %s?") % rule_name(self.rule)
        return _("End the rule for %s?") % rule_name(self.rule)

    def consequence(self) -> str:
        if self.to_come:
            return _("What holds now goes on. Nothing was charged by it yet.")
        return _(
            "From now on less specific rules, or the list's own terms, hold. Calls already charged stay as they are."
        )

    def back(self) -> str:
        return self.url("list_rules")

    def act(self) -> HttpResponse:
        if self.to_come:
            cancel_rule(self.rule, actor=self.viewer.actor)
        else:
            end_list_rule(self.price_list, Target.of(self.rule), actor=self.viewer.actor)
        return self.go("list_rules", self.price_list.code, said=_("Done."))
