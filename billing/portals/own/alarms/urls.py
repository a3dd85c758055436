"""The addresses of these pages, for each portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.alarms import events, ranges, rules
from tiers.models import Kind


def alarm_paths(kind: str) -> list[URLPattern]:
    """`alarms/...`; sellers have rules for one buyer, the operator the list of ranges."""
    found = [
        path("alarms/", events.Alarms.as_view(kind=kind), name="alarms"),
        path("alarms/<uuid:alarm>/", events.AlarmPage.as_view(kind=kind), name="alarm"),
        path("alarms/rules/", rules.Rules.as_view(kind=kind), name="alarm_rules"),
        path("alarms/rules/<uuid:rule>/end/", rules.EndRule.as_view(kind=kind), name="alarm_rule_end"),
        path("alarms/rules/set/<slug:rule_kind>/", rules.SetRule.as_view(kind=kind), name="alarm_rule"),
        path("alarms/rules/set/<slug:rule_kind>/<slug:code>/", rules.SetRule.as_view(kind=kind), name="alarm_rule_for"),
    ]
    if kind != Kind.CUSTOMER:
        found.append(path("alarms/rules/for/<slug:code>/", rules.RulesFor.as_view(kind=kind), name="alarm_rules_for"))
    if kind == Kind.OPERATOR:
        found += [
            path("alarms/ranges/", ranges.Ranges.as_view(kind=kind), name="alarm_ranges"),
            path("alarms/ranges/new/", ranges.NewRange.as_view(kind=kind), name="alarm_range_new"),
            path("alarms/ranges/<slug:prefix>/switch/", ranges.SwitchRange.as_view(kind=kind), name="alarm_range"),
        ]
    return found
