"""The rules of one dial plan, made ready: from dialled digits to a number and its class.

Why the order below: what is certain comes first (emergency, the exchange's own numbers), then what the plan
was told (access codes), then what the country's plan confirms, and guesses by length alone come last, so
that a number of a range opened yesterday is still charged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rating.numbers.countries import SHARED_CLASSES, calling_code, country, region_of, regions
from rating.numbers.number import BadNumber, Number, ServiceClass

MAX_E164_DIGITS = 15
MIN_NATIONAL_DIGITS = 4
MIN_PLAIN_DIGITS = 7
MAX_SHORT_DIGITS = 6
CACHE_NUMBERS = 131_072

_URI = re.compile(r"(?:sips?|tel|h323|callto):([^@;?]*)", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:ext|extn|extension|x)\.?[ :]*(\d{1,8})", re.IGNORECASE | re.ASCII)
_AFTER_NUMBER = re.compile(r"[,;wWpP].*", re.DOTALL)
_SPACING = re.compile(r"[\s\-./()~\u2010-\u2015\u200e\u200f\u202a-\u202e\u2060\ufeff]+")
_STAR_PREFIX = re.compile(r"[*#]\d{2,3}[*#](\+?\d{5,})", re.ASCII)
_CALLER_ID_PREFIX = re.compile(r"\*(?:67|82)(\d{7,})", re.ASCII)
_STAR_CODE = re.compile(r"[*#]+(\d{1,6})#?", re.ASCII)


class Rules:
    """Reads numbers for one dial plan; see `DialPlan` for the meaning of each part.

    `prefixes_abroad` stand for `+`, `access_codes` for an outside line; the longest first.
    """

    def __init__(
        self,
        *,
        home_country: str,
        international_prefixes: tuple[str, ...],
        trunk_prefix: str | None,
        area_code: str,
        access_codes: tuple[str, ...],
        on_net: tuple[tuple[str, str], ...],
        emergency: tuple[str, ...],
        extension_lengths: tuple[int, ...],
        plain_e164: bool,
    ) -> None:
        self._home = country(home_country)
        self._trunk = self._home.trunk_prefix if trunk_prefix is None else trunk_prefix
        self._area = area_code
        abroad = {code.replace("~", "") for code in access_codes if "~" in code}
        abroad |= {code.replace("~", "") for code in international_prefixes}
        if not international_prefixes:
            abroad |= set(self._home.international_prefixes)
        self.prefixes_abroad = tuple(sorted(abroad, key=len, reverse=True))
        codes = {code for code in access_codes if "~" not in code}
        self.access_codes = tuple(sorted(codes, key=len, reverse=True))
        self._on_net = on_net
        self._emergency = frozenset(emergency) | {"112"}
        self._extension_lengths = frozenset(extension_lengths)
        self._plain_e164 = plain_e164
        self.normalise = lru_cache(maxsize=CACHE_NUMBERS)(self._normalise)

    def _normalise(self, raw: str) -> Number | BadNumber:
        text: str | Number | BadNumber = raw
        if not (raw.isascii() and raw.removeprefix("+").isdigit()):
            text = _tidy(raw)
        if isinstance(text, BadNumber | Number):
            return text
        if text.startswith("+"):
            return self._from_abroad(text[1:]) or self._bad_abroad(raw, text[1:])
        return self._dialled(text) or self._bad(raw, text)

    def _dialled(self, digits: str) -> Number | None:
        inside = self._inside(digits)
        if inside is not None:
            return inside
        if self._plain_e164 and len(digits) >= MIN_PLAIN_DIGITS and not digits.startswith("0"):
            return self._from_abroad(digits)
        return (
            self._by_access_code(digits)
            or self._by_prefix_abroad(digits)
            or self._short_service(digits)
            or self._national(digits)
            or self._without_plus(digits)
            or self._by_length(digits)
        )

    def _inside(self, digits: str) -> Number | None:
        """Emergency numbers, and the exchange's own."""
        if self._is_emergency(digits):
            return Number(digits, ServiceClass.EMERGENCY, is_e164=False)
        if len(digits) in self._extension_lengths:
            bare = self._emergency_behind_access_code(digits)
            return bare or Number(digits, ServiceClass.ON_NET, is_e164=False)
        if self._on_net and self._in_on_net(digits):
            whole = len(digits) >= MIN_PLAIN_DIGITS and digits.startswith(self._home.calling_code)
            return Number(digits, ServiceClass.ON_NET, is_e164=whole)
        return None

    def _is_emergency(self, digits: str) -> bool:
        if len(digits) > MAX_SHORT_DIGITS:
            return False
        return digits in self._emergency or self._home.emergency.fullmatch(digits) is not None

    def _emergency_behind_access_code(self, digits: str) -> Number | None:
        for code in self.access_codes:
            rest = digits[len(code) :]
            if digits.startswith(code) and self._is_emergency(rest):
                return Number(rest, ServiceClass.EMERGENCY, is_e164=False)
        return None

    def _in_on_net(self, digits: str) -> bool:
        size = len(digits)
        return any(len(first) == size and first <= digits <= last for first, last in self._on_net)

    def _by_access_code(self, digits: str) -> Number | None:
        """Behind a code for an outside line, unless the digits are a national number as they stand."""
        for code in self.access_codes:
            if not digits.startswith(code) or len(digits) == len(code):
                continue
            if self._home.kind(digits) is not None:
                return self._home_number(digits)
            rest = digits[len(code) :]
            if self._is_emergency(rest):
                return Number(rest, ServiceClass.EMERGENCY, is_e164=False)
            found = self._by_prefix_abroad(rest) or self._national(rest)
            if found is not None:
                return found
        return None

    def _by_prefix_abroad(self, digits: str) -> Number | None:
        for prefix in self.prefixes_abroad:
            if digits.startswith(prefix):
                found = self._from_abroad(digits[len(prefix) :])
                if found is not None:
                    return found
        return None

    def _from_abroad(self, digits: str) -> Number | None:
        """A number in E.164 digits; None where no country begins so or the length cannot be."""
        code = calling_code(digits)
        if code is None or not MIN_NATIONAL_DIGITS <= len(digits) - len(code) <= MAX_E164_DIGITS - len(code):
            return None
        national = _without_trunk(code, digits[len(code) :])
        if code == self._home.calling_code:
            return self._home_number(national)
        kind = SHARED_CLASSES.get(code, ServiceClass.INTERNATIONAL)
        return self._outside(code + national, kind)

    def _national(self, digits: str) -> Number | None:
        """As dialled within the country, where the country's plan knows such a number."""
        for national in self._readings(digits):
            if self._home.general.fullmatch(national):
                return self._home_number(national)
        return None

    def _readings(self, digits: str) -> Iterator[str]:
        """National numbers that the digits may mean, the likeliest first."""
        trunk = self._trunk
        if trunk and digits.startswith(trunk):
            yield digits[len(trunk) :]
        if self._area and not (trunk and digits.startswith(trunk)):
            yield self._area + digits
        yield digits

    def _without_plus(self, digits: str) -> Number | None:
        """E.164 that lost its plus: believed only if that country's plan knows the number."""
        code = calling_code(digits)
        if code is None or len(digits) < MIN_PLAIN_DIGITS + 1 or len(digits) > MAX_E164_DIGITS:
            return None
        national = digits[len(code) :]
        known = any(country(region).general.fullmatch(national) for region in regions(code))
        return self._from_abroad(digits) if known else None

    def _by_length(self, digits: str) -> Number | None:
        for national in self._readings(digits):
            if len(national) in self._home.lengths and not digits.startswith("00"):
                return self._home_number(national)
        return None

    def _short_service(self, digits: str) -> Number | None:
        kind = self._home.short_kind(digits) if len(digits) <= MAX_SHORT_DIGITS else None
        return None if kind is None else Number(digits, kind, is_e164=False)

    def _home_number(self, national: str) -> Number:
        home = self._home
        e164 = home.calling_code + national
        kind = home.kind(national)
        if kind is None:
            if region_of(home.calling_code, national) != home.region:
                return self._outside(e164, ServiceClass.INTERNATIONAL)
            kind = ServiceClass.LONG_DISTANCE
        if kind is ServiceClass.LONG_DISTANCE and self._is_local(national):
            kind = ServiceClass.LOCAL
        return self._outside(e164, kind)

    def _is_local(self, national: str) -> bool:
        """In the place's own area; in a country without trunk prefix and areas, everywhere."""
        if self._area:
            return national.startswith(self._area)
        return not self._home.trunk_prefix

    def _outside(self, e164: str, kind: ServiceClass) -> Number:
        if self._on_net and self._in_on_net(e164):
            kind = ServiceClass.ON_NET
        return Number(e164, kind)

    def _bad_abroad(self, raw: str, digits: str) -> BadNumber:
        code = calling_code(digits)
        if code is None:
            return BadNumber(raw, "unknown_country", f"No country has numbers that begin with +{digits[:3]}.")
        if len(digits) > MAX_E164_DIGITS:
            return BadNumber(raw, "too_long", f"A number has at most {MAX_E164_DIGITS} digits.")
        return BadNumber(raw, "too_short", f"Too few digits follow +{code}.")

    def _bad(self, raw: str, digits: str) -> BadNumber:
        if len(digits) < MIN_NATIONAL_DIGITS:
            return BadNumber(raw, "too_short", f"{len(digits)} digits, and no extension of that length.")
        for prefix in self.prefixes_abroad:
            if digits.startswith(prefix):
                return self._bad_abroad(raw, digits[len(prefix) :])
        if len(digits) > MAX_E164_DIGITS:
            return BadNumber(raw, "too_long", f"A number has at most {MAX_E164_DIGITS} digits.")
        reason = f"It is neither a number of {self._home.region} nor one with a country code."
        return BadNumber(raw, "not_national", reason)


def _without_trunk(code: str, national: str) -> str:
    """`+44 (0)20 ...` written with its trunk zero: taken off where only then the number is one."""
    for region in regions(code)[:1]:
        plan = country(region)
        trunk = plan.trunk_prefix
        if trunk and national.startswith(trunk) and not plan.general.fullmatch(national):
            rest = national[len(trunk) :]
            return rest if plan.general.fullmatch(rest) else national
    return national


def _tidy(raw: str) -> str | Number | BadNumber:
    """Digits, perhaps with `+` before them; or what needs no country to be judged."""
    text = _plain_digits(raw).strip()
    if match := _URI.match(text):
        text = match.group(1)
    if match := _EXTENSION.fullmatch(text.strip()):
        return Number(match.group(1), ServiceClass.ON_NET, is_e164=False)
    text = _SPACING.sub("", _AFTER_NUMBER.sub("", text, count=1) if text[:1] not in ",;" else text)
    if not text:
        return BadNumber(raw, "empty", "No number was dialled.")
    if text[0] in "*#":
        match = _STAR_PREFIX.fullmatch(text) or _CALLER_ID_PREFIX.fullmatch(text)
        if match is None:
            feature = _STAR_CODE.fullmatch(text)
            if feature is None:
                return BadNumber(raw, "feature_code", "A feature code of the exchange, not a number.")
            return Number(feature.group(1), ServiceClass.ON_NET, is_e164=False)
        text = match.group(1)
    digits = text.removeprefix("+").removesuffix("#")
    if digits.isascii() and digits.isdigit():
        return ("+" if text.startswith("+") else "") + digits
    code = "letters" if any(char.isalpha() for char in digits) else "characters"
    return BadNumber(raw, code, "There are other signs than digits in it.")


def _plain_digits(text: str) -> str:
    """Digits of other scripts and the wide plus sign as ASCII."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else "+" if char == "\uff0b" else char for char in text
    )
