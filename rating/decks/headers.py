"""Which column is what: header names as carriers write them, and the words that tell one price from another.

Names are matched whole, after letter case, marks, units and currencies are taken off, so that a sentence
in the preamble ("billing as per the Billing column") is never taken for a header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CODE, WEAK_CODE, BREAKOUT, COUNTRY_CODE, AREA_CODE = (
    "code",
    "weak_code",
    "breakout",
    "country_code",
    "area_code",
)
PRICE, PRICE_FIRST = "price", "price_first"
BILLING, FIRST, STEP = "billing", "first", "step"
COUNTRY, NETWORK, NAME = "country", "network", "name"
EFFECTIVE, ENDS, STATUS, COMMENT = "effective", "ends", "status", "comment"
DISCONTINUED, FORBIDDEN, CURRENCY = "discontinued", "forbidden", "currency"
CONNECT_FEE, MIN_CHARGE, GRACE, FREE = "connect_fee", "min_charge", "grace", "free"

# Within a role the earlier name is the stronger: "Effective Date" beats "Start Date".
NAMES: dict[str, str] = {
    CODE: """
        prefix, prefixes, dial code, dial codes, dialcode, dialcodes, dialing code, dialing codes,
        dialling code, dialling codes, dial prefix, dialing prefix, dialling prefix, number prefix, phone
        prefix, prefix code, e164, e 164, e164 prefix, full code, calling code, called prefix, destination
        code, destination codes, dest code, dest codes, destination prefix, dest prefix, dialed digits,
        digits, dnis, vorwahl, indicatif, prefijo, prefisso, prefixo
    """,
    WEAK_CODE: "code, codes, route code, codigo, codice",
    BREAKOUT: "breakout, breakouts, code breakout, code breakouts",
    COUNTRY_CODE: """
        country code, country codes, countrycode, cc, country dial code, country prefix, intl code, int
        code
    """,
    AREA_CODE: """
        area code, area codes, areacode, areacodes, city code, city codes, citycode, region code, national
        code, network code, operator code, mobile code, ndc, area prefix, city area code, city area codes,
        area city code, area city codes
    """,
    COUNTRY: "country, country name, land, pays, pais",
    NETWORK: "network, operator, network name, operator name, carrier name, network operator",
    NAME: """
        destination, destination name, dest, destinations, breakout name, description, area name, zone,
        zone name, route, route name, region, location, name, destination description, destino, ziel
    """,
    BILLING: """
        billing increment, billing increments, billing, increment, increments, bi type, bi, billing
        interval, billing intervals, interval, intervals, charge increment, rounding, charging increment,
        rate increment, rating increment, increment min next, min next, pulse, billing unit, billing
        units, billing terms, billing rule, incr, min incr, call increment, billing type, tariffication,
        billing step, initial subsequent, initial next, first next
    """,
    FIRST: """
        interval 1, first interval, initial interval, initial increment, first increment, increment 1, 1st
        increment, 1st interval, initial period, minimum duration, min duration, min time, minimum time,
        minimum seconds, min seconds, minimum, min, initial, first, initial billing, minimum increment,
        min increment, first block, initial block, first s, connect increment
    """,
    STEP: """
        interval n, next interval, subsequent interval, next increment, subsequent increment, increment n,
        additional increment, additional interval, following increment, 2nd increment, recurring,
        subsequent, additional, next, step, second increment, subsequent billing, sub increment, next
        block, additional block, step s, increment 2, interval 2
    """,
    EFFECTIVE: """
        effective date, effective from, effective, date effective, effective from date, effective date
        from, eff date, effective since, effect date, rate effective date, valid from, valid from date,
        activation date, active from, start date, date from, from date, begin date, begins, implementation
        date, starts, start, from, date
    """,
    ENDS: """
        effective to, effective until, valid to, valid until, end date, expiry date, expiry, expires,
        expiration date, date to, to date, effective till, valid till
    """,
    STATUS: """
        change, status, rate change, change type, change status, action, rate status, code status, code
        change, type of change, price change
    """,
    COMMENT: "comment, comments, note, notes, remark, remarks",
    DISCONTINUED: "discontinued, closed, deleted, withdrawn, is closed",
    FORBIDDEN: "forbidden, blocked, block, is blocked",
    CURRENCY: "currency, ccy, curr, cur, currency code, rate currency",
    CONNECT_FEE: """
        connect fee, connection fee, connect charge, connection charge, setup fee, set up fee, setup
        charge, set up charge, setup cost, call setup, call setup fee, connection cost, connect cost,
        connection, connect, flagfall, flag fall, setup, connect rate
    """,
    MIN_CHARGE: "min charge, minimum charge, minimum cost, min cost, minimum price, min price",
    GRACE: "grace, grace period, grace time, grace seconds, grace s",
    FREE: "free seconds, free time, free s, free period",
    PRICE_FIRST: "price 1, rate 1, first price, first rate",
}
ROLES = {
    " ".join(name.split()): (role, rank) for role, names in NAMES.items() for rank, name in enumerate(names.split(","))
}
SETTLED_PRICES = frozenset({"price n", "rate n", "next price", "next rate"})
SPECIAL_PRICES = frozenset({"peak", "off peak", "offpeak", "weekend", "interstate", "intrastate", "buy", "sell"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRICE_WORDS = _words(
    """
    charge cost costs ppm precio preis prezzo price prices prix rate rates tarif tarifa tariff tariffs
    """
)
NO_PRICE_WORDS = _words(
    """
    asr card center centre change class code codes comment comments connect connection date deck decrease
    diff difference effective fee free grace group id increase increment increments interval level method
    minimum name names no note notes number percent plan setup sheet status table type unit units
    variation version
    """
)
FILLERS = _words(
    """
    1 1min 60s a by call calls eu in min mins minute minutes of per termination the us voice
    """
)
CENT_WORDS = _words("cent cents ct cts eurocent eurocents pence usc")
ODD_UNIT_WORDS = _words("100 1000 10000 mill millicents mills pulse sec second seconds secs units")
NEW_WORDS = _words("future new")
OLD_WORDS = _words("current existing last old previous prior")
CURRENCIES = _words(
    """
    aed ars aud bdt bgn bhd brl cad chf clp cny cop czk dkk egp eur gbp ghs hkd huf idr ils inr jpy kes
    krw kwd lkr mxn myr ngn nok nzd omr pen php pkr pln qar ron rub sar sek sgd thb try twd uah usd vnd
    zar
    """
)

_NOT_WORD = re.compile(r"[^\w]+|_+")


class Price(NamedTuple):
    """A column of prices: `kind` is plain, new, old or special (peak, buy); with its unit and currency."""

    column: int
    header: str
    kind: str
    unit: str
    currency: str | None


def normal(header: str) -> str:
    """A header name in plain words: lower case, no marks, `Code(s)` as codes, a cent sign as the word."""
    text = header.strip().lower().replace("(s)", "s").replace("\u00a2", " cents ").replace("\ufeff", "")
    return _NOT_WORD.sub(" ", text).strip()


def role_of(header: str) -> tuple[str, int] | None:
    """The role of a header and its rank in that role (0 is the strongest), or None."""
    return ROLES.get(normal(header))


def price_of(column: int, header: str) -> Price | None:
    """The price that a header announces, or None where it announces something else.

    The unit is `unit`, `cent`, or `odd` where the header names one that nobody can be sure of.
    """
    name = normal(header)
    if name in SETTLED_PRICES or ROLES.get(name, ("",))[0] == PRICE_FIRST:
        return Price(column, header.strip(), "plain", "unit", None)
    if name in SPECIAL_PRICES:
        return Price(column, header.strip(), "special", "unit", None)
    words = name.split()
    if name in ROLES or not PRICE_WORDS.intersection(words) or NO_PRICE_WORDS.intersection(words):
        return None
    currency = next((word.upper() for word in words if word in CURRENCIES), None)
    unit = _unit(words)
    left = [
        word for word in words
        if not (word in FILLERS or word in CURRENCIES or word in CENT_WORDS or word in ODD_UNIT_WORDS)
    ]  # fmt: skip
    return Price(column, header.strip(), _kind(left), unit, currency)


def _unit(words: list[str]) -> str:
    if ODD_UNIT_WORDS.intersection(words):
        return "odd"
    return "cent" if CENT_WORDS.intersection(words) else "unit"


def _kind(words: list[str]) -> str:
    rest = [word for word in words if word not in PRICE_WORDS]
    if not rest:
        return "plain"
    if len(rest) == 1 and rest[0] in NEW_WORDS:
        return "new"
    if len(rest) == 1 and rest[0] in OLD_WORDS:
        return "old"
    return "special"
