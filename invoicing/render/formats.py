"""Figures, dates and text as people read them, in the context's locale.

Amounts always carry their currency, negatives a real minus sign; text that tenants wrote is made harmless
for layout (control and direction-override characters out, length bounded) before any renderer sees it.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import NumberPattern, get_currency_precision, parse_pattern

MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
MAX_AMOUNT_DECIMALS = 6

# Direction overrides and isolates, which could make a printed figure read backwards, and what XML forbids.
_UNSAFE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


@cache
def locale_of(code: str) -> Locale:
    """The Babel locale of a code such as "en_GB" or "zh-Hant-HK"; English where it is unknown."""
    try:
        return Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale("en")


@cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    pattern = copy.copy(parse_pattern(locale.decimal_formats[None]))
    pattern.frac_prec = (decimals, decimals)
    return pattern


def round_to(value: Decimal, decimals: int) -> Decimal:
    """Half up to so many decimals."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def format_number(value: Decimal | int, locale: str, decimals: int = 0) -> str:
    """A figure without a unit: "1,234.50", "−3.10"."""
    number = round_to(Decimal(value), decimals)
    chosen = locale_of(locale)
    text = str(_pattern(chosen, decimals).apply(abs(number), chosen, decimal_quantization=False))
    text = text.replace("\u202f", NO_BREAK_SPACE)  # many fonts lack the narrow one
    return MINUS + text if number < 0 else text


def format_amount(value: Decimal, currency: str, locale: str, decimals: int | None = None) -> str:
    """An amount with its currency code: "1,234.50 EUR". `decimals` None: those of the currency."""
    if decimals is None:
        decimals = get_currency_precision(currency)
    return f"{format_number(value, locale, decimals)}{NO_BREAK_SPACE}{currency}"


def own_decimals(value: Decimal, least: int) -> int:
    """How many decimals a rated amount shows: its own, at least the currency's, at most six."""
    exponent = value.as_tuple().exponent
    return max(least, min(-exponent if isinstance(exponent, int) else 0, MAX_AMOUNT_DECIMALS))


def format_rate(percent: Decimal, locale: str) -> str:
    """A tax rate: "19", "7.5", without the sign."""
    plain = percent.normalize()
    exponent = plain.as_tuple().exponent
    return format_number(plain, locale, max(0, -exponent) if isinstance(exponent, int) else 0)


def format_quantity(value: Decimal, locale: str) -> str:
    """A count of anything: "3", "1,200", "0.5"."""
    return format_rate(value, locale)


def format_duration(duration_s: int) -> str:
    """Seconds as "1:05:09", "0:42"."""
    minutes, seconds = divmod(max(duration_s, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def minutes_of(duration_s: int) -> int:
    """Whole minutes, half up, for a summary line."""
    return (max(duration_s, 0) + 30) // 60


def format_day(day: date, locale: str) -> str:
    """ "14 December 2026"."""
    return format_date(day, "long", locale=locale_of(locale))


def format_day_short(day: date, locale: str) -> str:
    """ "14 December": where the year is plain."""
    return str(format_skeleton("MMMMd", day, locale=locale_of(locale)))


@lru_cache(maxsize=2_000)
def format_day_column(day: date, locale: str) -> str:
    """ "14 Dec", for a column of dates under a period."""
    return str(format_skeleton("MMMd", day, locale=locale_of(locale)))


def format_period(start: date, end: date, locale: str) -> str:
    """ "1–31 Oct 2026"."""
    if start == end:
        return format_day(start, locale)
    return str(format_interval(start, end, "yMMMd", locale=locale_of(locale)))


def tidy(text: str, limit: int = 120) -> str:
    """One line of a tenant's text: no control or direction-override characters, at most `limit` long."""
    kept = _UNSAFE.sub("", text)
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in kept)
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + ELLIPSIS


def ink(accent: str, fallback: str = "#1f4e79") -> str:
    """The brand's colour as "#rrggbb", darkened until it reads on white paper (contrast of at least 4.5
    to 1).
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
        return fallback
    channels = [int(accent[i : i + 2], 16) for i in (1, 3, 5)]
    while _contrast_on_white(channels) < 4.5:
        channels = [channel * 9 // 10 for channel in channels]
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _contrast_on_white(channels: list[int]) -> float:
    """By WCAG 2: 1.05 over the relative luminance plus 0.05."""
    shares = [channel / 255 for channel in channels]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
