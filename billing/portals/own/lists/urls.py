"""The addresses of these pages, for either portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.lists import customers, days, drafts, groups, rules
from tiers.models import Kind


def list_paths(kind: str) -> list[URLPattern]:
    """`prices/lists/<code>/...`, groups, and the own list of a buyer."""
    buyers = "parties" if kind == Kind.OPERATOR else "customers"
    one = "prices/lists/<slug:code>"
    return [
        path(f"{one}/rules/", rules.Rules.as_view(kind=kind), name="list_rules"),
        path(f"{one}/rules/set/", rules.SetRule.as_view(kind=kind), name="list_rule"),
        path(f"{one}/rules/<uuid:rule>/end/", rules.EndRule.as_view(kind=kind), name="list_rule_end"),
        path(f"{one}/draft/", drafts.DraftPage.as_view(kind=kind), name="list_draft"),
        path(f"{one}/draft/csv/", drafts.DraftFile.as_view(kind=kind), name="list_draft_file"),
        path(f"{one}/draft/publish/", drafts.Publish.as_view(kind=kind), name="list_publish"),
        path(
            f"{one}/draft/<uuid:publication>/cancel/",
            drafts.CancelPublication.as_view(kind=kind),
            name="publication_cancel",
        ),
        path(f"{one}/follows/", drafts.SetFollows.as_view(kind=kind), name="list_follows"),
        path(f"{one}/day/", days.Day.as_view(kind=kind), name="list_day"),
        path(f"{one}/day/history/", days.History.as_view(kind=kind), name="list_history"),
        path(f"{one}/coming/", days.ComingPage.as_view(kind=kind), name="list_coming"),
        path(f"{one}/coming/<slug:kind>/<slug:row>/", days.CancelChange.as_view(kind=kind), name="list_cancel"),
        path("prices/groups/", groups.Groups.as_view(kind=kind), name="groups"),
        path("prices/groups/new/", groups.GroupPage.as_view(kind=kind), name="group_new"),
        path("prices/groups/<slug:code>/", groups.GroupPage.as_view(kind=kind), name="group"),
        path(f"{buyers}/<slug:code>/prices/", customers.OwnListOf.as_view(kind=kind), name="own_list"),
    ]
