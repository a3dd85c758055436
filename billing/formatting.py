"""How figures look to people: amounts, durations, numbers and times in the reader's locale.

Pages, forms and charts all speak through these functions, so that one figure never looks two ways. They return plain
text; the template tags add the markup.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, get_currency_precision
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

MINUS = "\u2212"
NO_BREAK = "\u00a0"
DAY_FIRST = {"en": "en_GB"}
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""What began by then began before anybody counted (tiers.services.parties.ALWAYS)."""


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    name = DAY_FIRST.get(language, language)
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        return Locale("en", "GB")


def locale() -> Locale:
    """The Babel locale of the language that is active now. Plain English is day first, as in LOOK's invoices."""
    return _locale(get_language() or "en")


def currency_decimals(currency: str) -> int:
    """2 for EUR, 0 for JPY; 2 for what nobody knows."""
    return int(get_currency_precision(currency))


def decimal_text(value: Decimal | int, decimals: int) -> str:
    """`1234.5` with 2 decimals: `1,234.50`; a negative one starts with a real minus sign."""
    exact = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    text = str(format_decimal(abs(exact), format=pattern, locale=locale(), decimal_quantization=False))
    return MINUS + text if exact < 0 else text


def money_text(value: Decimal, currency: str, decimals: int | None = None) -> str:
    """`38.20 EUR`, with the currency's decimals unless a list's are given."""
    places = currency_decimals(currency) if decimals is None else decimals
    return f"{decimal_text(value, places)}{NO_BREAK}{currency}"


def exact_decimals(value: Decimal, currency: str) -> int:
    """The currency's decimals, or as many more as the amount has: a ledger hides no fraction."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    return max(currency_decimals(currency), -exponent if isinstance(exponent, int) else 0)


def price_text(value: Decimal) -> str:
    """A price per minute: at least 4 decimals, more only where they are not 0."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    return decimal_text(value, max(4, digits))


def duration_text(duration_s: int) -> str:
    """3909: `1:05:09`; 69: `1:09`."""
    minutes, seconds = divmod(int(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def phone_text(number: str) -> str:
    """E.164 digits as people of that country write them; what is no such number stays as it is."""
    digits = number.lstrip("+")
    if not digits.isdigit() or len(digits) < 7:
        return number
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def day_text(value: date | datetime) -> str:
    """`21 Nov 2026`, a moment by the zone that is active."""
    if isinstance(value, datetime):
        if value <= ALWAYS:
            return _("the beginning")
        value = timezone.localtime(value).date()
    return str(format_date(value, "medium", locale=locale()))


def utc_day_text(value: datetime) -> str:
    """The day of what begins at midnight UTC, such as a bank's exchange rate, wherever the reader is."""
    return day_text(value) if value <= ALWAYS else day_text(value.astimezone(UTC).date())


def month_text(value: date | datetime) -> str:
    """`November 2026`."""
    return str(format_skeleton("yMMMM", value, locale=locale()))


def month_short(value: date | datetime) -> str:
    """`Nov 26`, for the foot of a chart."""
    return str(format_skeleton("yyMMM", value, locale=locale()))


def moment_text(value: datetime, *, seconds: bool = False) -> str:
    """`21 Nov 2026, 20:54 HKT`: exact, in the active zone, with the zone's name."""
    if value <= ALWAYS:
        return _("the beginning")
    local = timezone.localtime(value)
    clock = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{day_text(local)}, {clock}{NO_BREAK}{local.tzname()}"
