"""One line of a delimited file into its fields, and nothing beyond that line.

Why: an unclosed quote must spoil its own row only, so every line is read by itself, strictly. Some exports
wrap a whole line in quotes; such a line is unwrapped.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from rating.usage.fields import FieldError

DELIMITERS = (",", ";", "\t", "|")


def split_line(text: str, delimiter: str) -> list[str]:
    """The fields of one line; `FieldError` (code `quotes`) where its quotes do not pair."""
    if '"' not in text:
        return text.split(delimiter)
    fields = _strict(text, delimiter)
    if len(fields) == 1 and delimiter in fields[0]:
        return _strict(fields[0], delimiter)
    return fields


def _strict(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader((text,), delimiter=delimiter, strict=True, skipinitialspace=True), [])
    except csv.Error:
        raise FieldError("", "quotes", "The quotes in this line do not pair.") from None


def split_or_none(text: str, delimiter: str) -> list[str] | None:
    """As `split_line`, None instead of an error: for looking at a file's first lines."""
    try:
        return split_line(text, delimiter)
    except FieldError:
        return None


def best_delimiter(line: str, wanted: Sequence[str] = DELIMITERS) -> str:
    """The delimiter that cuts this line into most fields."""
    return max(wanted, key=lambda mark: len(split_or_none(line, mark) or ()))
