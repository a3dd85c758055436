"""What calls cost now, and how that came to differ from what they cost at first.

Lists and pages read rated calls as they were written; these functions lay the newest correction over them, in one
question however many rows there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from rating.models import RatedCall, RatedCorrection
from tiers.viewer import Viewer

SHOWN = ("sale", "tax", "billed_s", "prefix", "destination", "service_class", "price_list_id", "carrier_id", "terms_id")
COST = ("cost", "cost_currency", "cost_terms_id")
AT_A_TIME = 2000


def as_now(calls: Iterable[RatedCall]) -> list[RatedCall]:
    """These calls at what they cost now; `correction` is the newest of each, None where nothing was corrected.

    A cost that was not read with the call (it is the seller's) is not read here either. What a call was related to by
    keys that changed is related anew.
    """
    listed = list(calls)
    rows = RatedCorrection.objects.filter(rated_call__in=[call.pk for call in listed])
    newest = rows.order_by("rated_call", "-number").distinct("rated_call")
    known = {one.rated_call_id: one for one in newest.select_related("terms", "cost_terms", "price_list", "carrier")}
    for call in listed:
        if (correction := known.get(call.pk)) is not None:
            _lay(correction, call)
    return listed


def _lay(correction: RatedCorrection, call: RatedCall) -> None:
    call.correction = correction
    call.corrected = (call.sale, call.tax) != (correction.sale, correction.tax)
    hidden = call.get_deferred_fields()
    for name in (*SHOWN, *(name for name in COST if name not in hidden)):
        setattr(call, name, getattr(correction, name))
    if correction.duration_s is not None:
        call.duration_s = correction.duration_s
    for relation in ("terms", "price_list", "carrier", *(("cost_terms",) if "cost_terms_id" not in hidden else ())):
        setattr(call, relation, getattr(correction, relation))


def streamed_as_now(calls: QuerySet[RatedCall]) -> Iterator[RatedCall]:
    """As `as_now`, for any number of calls in flat memory."""
    rows = calls.iterator(chunk_size=AT_A_TIME)
    while some := list(islice(rows, AT_A_TIME)):
        yield from as_now(some)


def over(calls: QuerySet[RatedCall], amount: Decimal) -> QuerySet[RatedCall]:
    """Those that now cost more than an amount, without tax."""
    newest = RatedCorrection.objects.filter(rated_call=OuterRef("pk")).order_by("-number").values("sale")[:1]
    now = Coalesce(Subquery(newest), F("sale"), output_field=DecimalField(max_digits=20, decimal_places=6))
    return calls.alias(sale_now=now).filter(sale_now__gt=amount)


@dataclass(frozen=True, slots=True)
class Step:
    """One correction as a viewer may read it; amounts without tax, `tax_*` the tax beside them."""

    at: datetime
    who: str
    why: str
    before: Decimal
    after: Decimal
    tax_before: Decimal
    tax_after: Decimal
    currency: str
    withdrawn: bool


def history(viewer: Viewer, call: RatedCall) -> list[Step]:
    """What was corrected at a call, oldest first. Somebody above the viewer is only "your seller"."""
    return histories(viewer, [call])[call.pk]


def histories(viewer: Viewer, calls: Iterable[RatedCall]) -> dict[UUID, list[Step]]:
    """The corrections of several calls, in one question."""
    found: dict[UUID, list[Step]] = defaultdict(list)
    rows = RatedCorrection.visible.for_viewer(viewer).filter(rated_call__in=[call.pk for call in calls])
    for row in rows.select_related("run__party").order_by("rated_call", "number"):
        moved = (row.sale, row.tax, row.withdrawn) != (row.sale_before, row.tax_before, row.withdrawn_before)
        if moved:
            found[row.rated_call_id].append(_step(viewer, row))
    return found


def _step(viewer: Viewer, row: RatedCorrection) -> Step:
    run = row.run
    if run is None:
        who, why = _("Its switch"), _("What the call really lasted was told after it had been charged.")
    else:
        own = run.party.is_at_or_below(viewer.party)
        who, why = run.applied_by if own else _("Your seller"), run.reason
    return Step(
        row.created_at,
        who,
        why,
        row.sale_before,
        row.sale,
        row.tax_before,
        row.tax,
        row.currency,
        row.withdrawn,
    )


def moved(calls: QuerySet[RatedCall]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What corrections took from (-1) and gave to (1) the sums of these calls, by currencies.

    Rows: currency, cost_currency, calls, seconds, sales, costs. A withdrawn call counts no more.
    """
    rows = RatedCorrection.objects.filter(rated_call__in=calls.order_by().values("pk")).order_by()
    for sign, side in ((-1, "_before"), (1, "")):
        sums = rows.values("currency", costs_in=F(f"cost_currency{side}")).annotate(
            calls=Count("id", filter=Q(**{f"withdrawn{side}": False})),
            seconds=Sum(
                Coalesce(f"duration_s{side}", "rated_call__duration_s"), filter=Q(**{f"withdrawn{side}": False})
            ),
            sales=Sum(f"sale{side}"),
            costs=Sum(f"cost{side}"),
        )
        for row in sums:
            yield sign, row
