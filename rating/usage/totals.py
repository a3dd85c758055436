"""A file that ends with totals is held against them before anything of it is charged.

Why: a file cut off on its way, or sent in part, is only seen by its trailer. All lines count, those too that go to the
quarantine; the seconds are compared where every line could be read, and may not exceed the total where some could not.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rating.usage.fields import FieldError
from rating.usage.formats.mapped import MappedParser, Totals
from rating.usage.protocol import UsageRefused
from rating.usage.record import BadRow


def reconcile(parser: MappedParser, items: Iterable[tuple[int, str] | BadRow]) -> None:
    """`items`: all lines of the file. Raises UsageRefused (code `trailer`) with both figures where they disagree."""
    totals: Totals | None = None
    count, unread, seconds = 0, 0, Decimal(0)
    for item in items:
        if isinstance(item, BadRow):
            if item.line >= parser.data_from_line:
                count, unread = count + 1, unread + 1
            continue
        number, text = item
        if parser.is_trailer(text):
            if totals is not None:
                raise _refused(number, "A second line of totals: these may be two files in one.")
            totals = parser.totals(number, text)
        elif number >= parser.data_from_line and text.strip():
            if totals is not None:
                raise _refused(number, f"The totals stand in line {totals.line}, and there are calls behind them.")
            count += 1
            try:
                seconds += parser.told_s(text)
            except FieldError:
                unread += 1
    if totals is None:
        raise _refused(count, "The line with the totals is missing: the file may be cut off.")
    if totals.calls is not None and totals.calls != count:
        raise _refused(totals.line, f"The totals say {totals.calls} calls, the file holds {count}.")
    if totals.seconds is not None and parser.tells_seconds:
        wrong = totals.seconds < seconds if unread else totals.seconds != seconds
        if wrong:
            shown = f"{_plain(totals.seconds)} seconds, the calls come to {_plain(seconds)}"
            raise _refused(totals.line, f"The totals say {shown}.")


def _plain(seconds: Decimal) -> str:
    return format(seconds.normalize(), "f")


def _refused(line: int, message: str) -> UsageRefused:
    return UsageRefused("trailer", message, f"line {line}", "Nothing was charged. Fetch the file again.")
