"""The audit trail: who changed which setting or party, from what to what, when, and for whom.

Every tracked model of every app has its own table of events, written by the database. This reads them as one list,
newest first, each through the scope of the model it tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery

from tiers.viewer import Viewer

PAGE_ENTRIES = 50
NEVER_SHOWN = frozenset({"pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context", "id", "created_at"})


@dataclass(frozen=True)
class Change:
    """One field of an entry; `before` is empty in what was created."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """`what` is the kind of thing, `which` its name, `whose` its party; `label`: insert, update, delete, acting_..."""

    at: datetime
    label: str
    what: str
    which: str
    whose: str
    actor: str
    acting_for: str
    changes: list[Change]
    cursor: str


def trail(viewer: Viewer, *, before: str = "", size: int = PAGE_ENTRIES) -> tuple[list[Entry], str]:
    """(a page of entries, the cursor of the next page or ""). A cursor that cannot be read starts at the top."""
    cut = _cut(before)
    found: list[tuple[Any, str, Any]] = []
    for model in _event_models():
        label = model._meta.label
        rows = _visible(model, viewer).filter(_before(cut, label)) if cut else _visible(model, viewer)
        newest = rows.select_related("pgh_context").order_by("-pgh_created_at", "-pgh_id")[: size + 1]
        found += [(row.pgh_created_at, label, row) for row in newest]
    found.sort(key=lambda one: (-one[0].timestamp(), one[1], -one[2].pgh_id))
    shown = found[:size]
    earlier = _earlier([row for _at, _label, row in shown])
    entries = [_entry(label, row, earlier.get((label, row.pgh_id))) for _at, label, row in shown]
    return entries, entries[-1].cursor if len(found) > size else ""


def _event_models() -> Iterator[Any]:
    for model in apps.get_models():
        if getattr(model, "pgh_tracked_model", None) is not None:
            yield model


def _visible(model: Any, viewer: Viewer) -> QuerySet[Any]:
    """Events whose object lies in the viewer's part of the tree, by the scope of the model tracked."""
    condition = Q()
    for lookup in model.pgh_tracked_model.SCOPE:
        condition |= Q(**{f"pgh_obj__{lookup}__startswith": viewer.path})
    owner = model.pgh_tracked_model.SCOPE[0].removesuffix("path") + "name"
    found: QuerySet[Any] = model._default_manager.filter(condition).annotate(whose=F(f"pgh_obj__{owner}"))
    return found


def _cut(text: str) -> tuple[datetime, str, int] | None:
    try:
        at, label, number = text.split("|")
        return datetime.fromisoformat(at), label, int(number)
    except ValueError:
        return None


def _before(cut: tuple[datetime, str, int], label: str) -> Q:
    at, cut_label, number = cut
    earlier = Q(pgh_created_at__lt=at)
    if label > cut_label:
        return earlier | Q(pgh_created_at=at)
    return earlier | Q(pgh_created_at=at, pgh_id__lt=number) if label == cut_label else earlier


def _earlier(rows: list[Any]) -> dict[tuple[str, int], Any]:
    """For each event, the one before it of the same object: two questions a model, however many rows."""
    found: dict[tuple[str, int], Any] = {}
    for model in {type(row) for row in rows}:
        mine = [row.pgh_id for row in rows if type(row) is model]
        previous = model._default_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
        pairs = model._default_manager.filter(pgh_id__in=mine).annotate(
            previous=Subquery(previous.order_by("-pgh_id").values("pgh_id")[:1])
        )
        steps = {number: before for number, before in pairs.values_list("pgh_id", "previous") if before}
        known = model._default_manager.in_bulk(list(steps.values()), field_name="pgh_id")
        found |= {(model._meta.label, number): known[before] for number, before in steps.items()}
    return found


def _entry(label: str, row: Any, previous: Any) -> Entry:
    tracked: type[Model] = row.pgh_tracked_model
    context = row.pgh_context.metadata if row.pgh_context is not None else {}
    which = next((str(getattr(row, name)) for name in ("name", "email", "code") if getattr(row, name, "")), "")
    return Entry(
        row.pgh_created_at,
        row.pgh_label,
        str(tracked._meta.verbose_name),
        which,
        "" if row.whose == which else str(row.whose),
        str(context.get("actor") or ""),
        str(context.get("acting_for") or ""),
        _changes(row, previous) if row.pgh_label == "update" else [],
        f"{row.pgh_created_at.isoformat()}|{label}|{row.pgh_id}",
    )


def _changes(row: Any, previous: Any) -> list[Change]:
    found = []
    for field in row._meta.fields:
        if field.name in NEVER_SHOWN:
            continue
        after = getattr(row, field.attname)
        before = getattr(previous, field.attname) if previous is not None else None
        if before != after:
            found.append(Change(str(field.verbose_name), _short(before), _short(after)))
    return found


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:120]
