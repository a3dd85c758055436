"""Why a call cost what it cost: recomputed from the numbers frozen with it, so that it can be shown for ever."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.figures import plain
from rating.kernel import Rate as KernelRate
from rating.kernel import explain
from rating.models import RatedCall, RateTerms
from rating.selectors.corrections import Step
from rating.services.quote import origin_lines


def sale_lines(call: RatedCall) -> list[dict[str, str]]:
    """Steps of the sale: {"rule", "text", "value"} each. The derivation in them is the seller's own knowledge."""
    return _lines(call, call.terms, with_origin=True)


def price_lines(call: RatedCall) -> list[dict[str, str]]:
    """Steps of the sale as the buyer may read them: without where the seller's rate comes from."""
    return _lines(call, call.terms, with_origin=False)


def cost_lines(call: RatedCall) -> list[dict[str, str]]:
    """Steps of the seller's own cost; none where it is not costed yet."""
    return _lines(call, call.cost_terms, with_origin=False) if call.cost_terms is not None else []


def correction_line(step: Step) -> dict[str, str]:
    """A correction as a step: what it was before, why and by whom; the value is what it came to, tax included."""
    before, after = step.before + step.tax_before, step.after + step.tax_after
    text = _("Corrected on %(day)s from %(before)s: %(why)s (%(who)s)") % {
        "day": f"{step.at:%Y-%m-%d}",
        "before": plain(before, 2),
        "why": step.why,
        "who": step.who,
    }
    return {"rule": "correction", "text": text, "value": plain(after, 2)}


def _lines(call: RatedCall, terms: RateTerms, *, with_origin: bool) -> list[dict[str, str]]:
    body: dict[str, Any] = terms.body
    rate = KernelRate.from_json(body["rate"])
    lines = origin_lines(body["origin"]) if with_origin else []
    lines += [line._asdict() for line in explain(rate, call.duration_s, call.answered_at, translate=_)]
    return lines
