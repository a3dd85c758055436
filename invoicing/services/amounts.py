"""The sums of a bill, pure and exact: what is net, what is tax, and where the one cent goes.

Every way of charging ends in the same identity, and the papers rest on it:

    what the wallet was charged already + tax posted at issue + rounding = total        (to the cent, always)

- Postpaid, prices without tax: charges are the net. tax = half up(net x r / 100), total = half up(net + net x r / 100),
  each rounded once from the exact figure, never from the other. Tax is posted at issue, wallet to tax.
- Postpaid, prices with tax: charges are the gross. total = half up(gross), tax = half up(gross x r / (100 + r)); the
  tax moves inside the seller's book. The net is gross x 100 / (100 + r) to six decimals, and the exact tax the rest.
- Prepaid, either way: net and tax were charged apart, call by call, to six decimals, maybe at a rate that changed in
  between. The paper says what was charged: tax = half up(tax charged), total = half up(net + tax charged). So rounding
  is at most half of the currency's smallest unit. Where even that is more than a prepaid wallet has left, the total is
  rounded down instead: the fraction is the buyer's, and no wallet goes below zero for a rounding.

Paper shows `total - tax` as its net, so that its column adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

from babel.numbers import get_currency_precision

PLACES = Decimal("0.000001")
ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Sums:
    """What a bill comes to. `net` and `tax_exact` in six decimals; `tax` and `total` in the currency's.

    `tax_due` is what issuing posts from the wallet to tax, `rounding` what it posts from the wallet to rounding
    (negative: from rounding to the wallet). `tax_moved` is tax to be moved within the seller's book: out of revenue
    where prices hold it, out of rounding where prepaid tax was charged in fractions (negative: the other way).
    """

    net: Decimal
    tax_exact: Decimal
    tax: Decimal
    total: Decimal
    tax_due: Decimal
    tax_moved: Decimal
    rounding: Decimal


def currency_decimals(currency: str) -> int:
    """2 for EUR, 0 for JPY, 3 for BHD; 2 for what nobody knows."""
    return int(get_currency_precision(currency))


def unit(decimals: int) -> Decimal:
    """The smallest amount of so many decimals."""
    return Decimal(1).scaleb(-decimals)


def half_up(amount: Decimal, decimals: int) -> Decimal:
    """Rounded half away from zero to so many decimals."""
    return amount.quantize(unit(decimals), rounding=ROUND_HALF_UP)


def postpaid(charged: Decimal, rate: Decimal, decimals: int, *, inclusive: bool, taxed: Decimal = ZERO) -> Sums:
    """Of charges that hold no tax yet, or (`inclusive`) all of it. `rate` in percent.

    `taxed` is tax that was charged beside some of them while the wallet was still prepaid: it is not posted again.
    """
    with localcontext() as context:
        context.prec = 60
        if inclusive:
            return _postpaid_inclusive(charged + taxed, rate, decimals, taxed)
        exact = charged * rate / HUNDRED
        tax, total = half_up(exact, decimals), half_up(charged + exact, decimals)
        return Sums(
            net=charged,
            tax_exact=exact.quantize(PLACES, rounding=ROUND_HALF_UP),
            tax=tax,
            total=total,
            tax_due=tax - taxed,
            tax_moved=ZERO,
            rounding=total - tax - charged,
        )


def _postpaid_inclusive(gross: Decimal, rate: Decimal, decimals: int, taxed: Decimal) -> Sums:
    tax = half_up(gross * rate / (HUNDRED + rate), decimals)
    net = (gross * HUNDRED / (HUNDRED + rate)).quantize(PLACES, rounding=ROUND_HALF_UP)
    total = half_up(gross, decimals)
    return Sums(
        net=net,
        tax_exact=gross - net,
        tax=tax,
        total=total,
        tax_due=ZERO,
        tax_moved=tax - taxed,
        rounding=total - gross,
    )


def prepaid(net: Decimal, tax_charged: Decimal, decimals: int, *, available: Decimal | None = None) -> Sums:
    """Of charges whose tax was charged beside them. `available` is what the wallet has left, None: not asked."""
    tax, total = half_up(tax_charged, decimals), half_up(net + tax_charged, decimals)
    rounding = total - net - tax_charged
    if available is not None and rounding > max(available, ZERO):
        total = (net + tax_charged).quantize(unit(decimals), rounding=ROUND_DOWN)
        tax, rounding = min(tax, total), total - net - tax_charged
    return Sums(
        net=net,
        tax_exact=tax_charged,
        tax=tax,
        total=total,
        tax_due=ZERO,
        tax_moved=tax - tax_charged,
        rounding=rounding,
    )


def amount_due(total: Decimal, closing_balance: Decimal) -> Decimal:
    """What is unpaid of this invoice after the balance: never more than its total, never less than nothing.

    A credit that the buyer had is used up first. What is open on earlier invoices is due there, not here a second
    time: whoever pays each invoice's due has a wallet of exactly zero.
    """
    return max(ZERO, min(total, -closing_balance))


def share_out(weights: Sequence[Decimal], target: Decimal) -> list[Decimal]:
    """`target` dealt out in proportion to the weights, in six decimals, adding up exactly; order kept.

    Without any weight all of it goes to the first. The last one bears what the cut of the others leaves.
    """
    whole = sum(weights, ZERO)
    if not weights:
        return []
    if whole == 0:
        return [target, *[ZERO] * (len(weights) - 1)]
    with localcontext() as context:
        context.prec = 60
        ends, run = [], ZERO
        for weight in weights:
            run += weight
            ends.append((target * run / whole).quantize(PLACES, rounding=ROUND_HALF_UP))
    return [end - start for start, end in zip([ZERO, *ends[:-1]], ends, strict=True)]


def plain_exact(amount: Decimal, decimals: int) -> str:
    """An exact amount as text: at least the currency's decimals, trailing zeros beyond them cut. 1.250000: "1.25"."""
    exponent = int(amount.normalize().as_tuple().exponent)
    return format(amount.quantize(unit(max(decimals, -exponent))), "f")


def plain_rounded(amount: Decimal, decimals: int) -> str:
    """An amount that was rounded already, as text in the currency's decimals."""
    return format(amount.quantize(unit(decimals)), "f")
