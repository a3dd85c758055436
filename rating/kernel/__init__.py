"""What a call costs, in pure Python: values in, price and explanation out. Exact.

No Django, no clock, no database. The order of the rules:

1. The duration is rounded up to whole seconds. 0 seconds (not answered), or at most `grace_s`: nothing is
   charged at all.
2. `free_s` seconds are taken off the start. From there increments are laid until the duration is covered: one
   of `first_s` (absent: of the step), then of `step_s`, or of the length of its own that a step in force has.
   `billed_s` is their sum. If no second remains, nothing is laid and the minimum is waived, but not the
   connect fee.
3. Each increment is charged at the price in force when it begins. The wall clock of that instant in the
   rate's zone picks the band (`at_start`: that of the answer). In a band only its own steps hold, by the
   seconds since the answer (free ones included); before the first of them its price, or without one the
   rate's price. Outside all bands the rate's steps hold, and before the first of them its price.
4. Amount = connect fee + sum, at least `min_charge`, exact until it is rounded once.
5. `longest` is the inverse: how long a call may last for an amount.

    rate = Rate(price=Decimal("0.12"), first_s=60, step_s=6)
    price(rate, 75)            -> Charge(amount=Decimal('0.1560'), billed_s=78, charged=True)

Modules: `terms` and `rate` are the values, `codec` their wire form, `zone` and `week` the calendar of bands, `plan` the
integers and the walk over a call; `charge`, `explain` and `longest` are the three questions, `wire` is the
line protocol of `./manage price`.
"""

from __future__ import annotations

from rating.kernel.charge import Charge, price
from rating.kernel.errors import RateError
from rating.kernel.explain import Line, explain
from rating.kernel.longest import longest
from rating.kernel.rate import Rate
from rating.kernel.terms import Band, Step

__all__ = ["Band", "Charge", "Line", "Rate", "RateError", "Step", "explain", "longest", "price"]
