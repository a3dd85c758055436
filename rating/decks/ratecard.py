"""The open rate card of ConnexCS in JSON (github.com/connexcs/open-rate-card, schema 1): cards with fields and rates.

It is made by machines, so it is read strictly: what breaks the schema is refused, not guessed. What our rates cannot
express (routing, quality, the rounding of a charge) becomes a warning. A rate's line is its place among the rates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rating.decks import headers as h
from rating.decks.exact import decimal_text
from rating.decks.source import Record, RowSource, Source
from rating.decks.values import DeckRefused

MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_NUMBER = 1_000_000
TYPES = ("termination", "origination", "messaging", "wholesale", "retail", "did", "toll_free")
DIRECTIONS = ("outbound", "inbound", "bidirectional")
TRAFFIC = ("voice", "sms", "mms", "fax", "data", "video")
SERVICES = ("wholesale", "retail", "did", "toll_free", "premium")
BY_THE_MINUTE = (None, "voice", "fax")
INBOUND = ("origination", "did", "toll_free")

# The fields of the standard, and the headers under which the reader knows them.
HEADERS = {
    "prefix": "Prefix",
    "name": "Destination",
    "rate": "Rate",
    "connection_fee": "Connect Fee",
    "initial_interval": "First Interval",
    "billing_interval": "Next Interval",
    "effective_date": "Effective Date",
    "expiry_date": "End Date",
}
DEFAULTS = {"default_initial": "initial_interval", "default_pulse": "billing_interval", "connection": "connection_fee"}
KEPT_ROLES = frozenset({h.MIN_CHARGE, h.GRACE, h.FREE, h.STATUS, h.DISCONTINUED, h.FORBIDDEN})
DATES = frozenset({"effective_date", "expiry_date"})

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z", re.ASCII)


def open_card(path: Path) -> dict[str, Source]:
    """The cards with rates for calls, by name. Raises DeckRefused where the file breaks the schema or holds none."""
    document = _Part(_loaded(path), "", path)
    for name, pattern in (("name", ".+"), ("version", r"\d+\.\d+(\.\d+)?"), ("schema_version", r"\d+\.\d+\.\d+")):
        document.text(name, pattern, required=True)
    if not document.values["schema_version"].startswith("1."):
        raise document.refused("schema_version", "only version 1 of the open rate card is known")
    document.text("date", r"\d{4}-\d{2}-\d{2}", required=True)
    document.text("effective_date", _INSTANT.pattern)
    document.text("expiry_date", _INSTANT.pattern)
    zone = _zone(document)
    cards = document.part("cards")
    if not cards.values:
        raise document.refused("cards", "at least one card is needed")
    found: dict[str, Source] = {}
    why_not = "the card has no rates"
    for key in cards.values:
        card = cards.part(key)
        _check(card)
        if card.values["type"] == "messaging" or card.values.get("traffic_type") not in BY_THE_MINUTE:
            why_not = "the rates are for messages or data, not for the minutes of calls"
        elif card.values.get("rates"):
            found[key] = _Card(document, card, zone).source()
    if not found:
        raise cards.refused("", why_not)
    return found


class _Part:
    """An object of the document and the place where it stands, for words of refusal that name the place."""

    def __init__(self, values: Any, where: str, path: Path) -> None:
        self.where, self.path = where, path
        if not isinstance(values, dict):
            raise self.refused("", "an object is expected")
        self.values: dict[str, Any] = values

    def refused(self, name: str, why: str) -> DeckRefused:
        place = ".".join(part for part in (self.where, name) if part) or "the document"
        return DeckRefused(
            "bad_rate_card",
            f"The file is no open rate card: {place}: {why}.",
            str(self.path),
            "Ask the carrier for a file by schema 1.0.0, or for CSV.",
        )

    def part(self, name: str) -> _Part:
        return _Part(self.values.get(name), f"{self.where}.{name}" if self.where else name, self.path)

    def text(self, name: str, pattern: str, *, required: bool = False) -> None:
        value = self.values.get(name)
        if value is None and name not in self.values and not required:
            return
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII | re.DOTALL):
            raise self.refused(name, "a text is missing" if value is None else f"{str(value)[:40]!r} is not allowed")

    def choice(self, name: str, options: tuple[str, ...], *, required: bool = False) -> None:
        if name not in self.values and not required:
            return
        if self.values.get(name) not in options:
            raise self.refused(name, f"one of {', '.join(options)} is expected")

    def number(self, name: str, least: int, *, whole: bool) -> None:
        if name not in self.values:
            return
        value = self.values[name]
        fits = isinstance(value, int | Decimal) and not isinstance(value, bool) and least <= value <= MAX_NUMBER
        if not fits or (whole and value % 1):
            raise self.refused(name, f"a {'whole ' if whole else ''}number from {least} to {MAX_NUMBER} is expected")


def _check(card: _Part) -> None:
    """A card by its schema, as far as it bears on prices."""
    card.text("name", ".+", required=True)
    card.text("currency", "[A-Z]{3}", required=True)
    card.text("endpoint", ".*", required=True)
    card.choice("type", TYPES, required=True)
    card.choice("direction", DIRECTIONS)
    card.choice("traffic_type", TRAFFIC)
    card.choice("service_type", SERVICES)
    for name in ("fields", "rates"):
        if not isinstance(card.values.get(name, []), list):
            raise card.refused(name, "a list is expected")
    for place, field in enumerate(card.values.get("fields", [])):
        _Part(field, f"{card.where}.fields[{place}]", card.path).text("name", ".+", required=True)
    if "rate" in card.values:
        rate = card.part("rate")
        rate.number("default_pulse", 1, whole=True)
        rate.number("default_initial", 1, whole=True)
        rate.number("connection", 0, whole=False)


class _Card:
    """One card as a table: its fields under headers that the reader knows, its defaults filled in."""

    def __init__(self, document: _Part, card: _Part, zone: ZoneInfo | None) -> None:
        self.document, self.card, self.zone = document, card, zone
        self.fields = [field["name"] for field in card.values.get("fields", [])]
        if not {"prefix", "rate"} <= set(self.fields):
            raise card.refused("fields", "prefix and rate are needed")
        if len(set(self.fields)) < len(self.fields):
            raise card.refused("fields", "a name stands twice")
        self.rates: list[Any] = card.values["rates"]
        given = card.values.get("rate", {})
        self.defaults = {field: _text(given[name]) for name, field in DEFAULTS.items() if name in given}
        if begins := document.values.get("effective_date"):
            self.defaults["effective_date"] = begins
        self.columns = {name: title for name in self.fields if (title := self._header(name))}
        self.columns |= {name: HEADERS[name] for name in self.defaults}

    def source(self) -> Source:
        return RowSource(self.card.path, "utf-8", warnings=self._warnings(), read=self._records)

    def _header(self, name: str) -> str | None:
        """The header of a field, or None where nothing in our rates takes it."""
        if name == "rate":
            return f"Rate {self.card.values['currency']}"
        role = h.role_of(name)
        is_kept = h.price_of(0, name) is not None or (role is not None and role[0] in KEPT_ROLES)
        return HEADERS.get(name) or (name if is_kept else None)

    def _records(self) -> Iterator[Record]:
        header = [*self.columns.values(), "Currency"]
        yield Record(0, "", header, "")
        for number, values in enumerate(self.rates, start=1):
            shown = json.dumps(values, default=str, ensure_ascii=False)
            if not isinstance(values, list) or len(values) != len(self.fields):
                yield Record(
                    number, shown, [], f"the entry does not have {len(self.fields)} values, as there are fields"
                )
                continue
            cells = dict(zip(self.fields, values, strict=True))
            try:
                yield Record(number, shown, [*map(partial(self._cell, cells), self.columns), self._currency], "")
            except ValueError as error:
                yield Record(number, shown, [], str(error))

    @property
    def _currency(self) -> str:
        return str(self.card.values["currency"])

    def _cell(self, cells: dict[str, Any], name: str) -> str:
        value = cells.get(name)
        if value is None or value == "":
            return self.defaults.get(name, "")
        if isinstance(value, dict | list):
            raise ValueError(f"the value of {name} is no single one")
        return self._moment(name, value) if name in DATES else _text(value)

    def _moment(self, name: str, value: Any) -> str:
        """A date begins at midnight in the zone of the card, where it names one."""
        text = str(value)
        if _INSTANT.fullmatch(text):
            return text
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"{name} {text[:40]!r} is not a date such as 2027-01-31") from error
        return datetime.combine(day, time(), self.zone).isoformat() if self.zone else text

    def _warnings(self) -> list[str]:
        card = self.card.values
        said = [f"The card: {card['name']} ({card['type']}); lines are counted by its rates."]
        if unused := [name for name in self.fields if name not in self.columns]:
            said.append(f"Fields not taken over: {', '.join(unused)}.")
        if expiry := self.document.values.get("expiry_date"):
            said.append(f"The card ends on {expiry}, which is not taken over.")
        if card.get("tech_prefix"):
            said.append(f"Calls need the technical prefix {card['tech_prefix']}, which is not part of the codes.")
        if card["type"] in INBOUND or card.get("direction") == "inbound":
            said.append("The card prices calls that come in.")
        charge = card.get("charge") or card.get("rate") or {}
        if isinstance(charge, dict) and charge.keys() & {"precision", "rounding"}:
            asked = ", ".join(f"{name} {charge[name]}" for name in ("precision", "rounding") if name in charge)
            said.append(f"The carrier rounds its charges by {asked}: set the rounding of the table to match.")
        return said


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return decimal_text(Decimal(value))
    return str(value)


def _zone(document: _Part) -> ZoneInfo | None:
    name = document.values.get("timezone")
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise document.refused("timezone", f"there is no time zone {str(name)[:40]!r}") from error


def _loaded(path: Path) -> Any:
    if path.stat().st_size > MAX_JSON_BYTES:
        limit = MAX_JSON_BYTES // (1024 * 1024)
        raise DeckRefused("too_large", f"A rate card in JSON may have {limit} MB.", str(path), "Ask for CSV.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_without_twins)
    except (ValueError, ArithmeticError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "it is nested too deeply or holds an impossible number"
        raise DeckRefused("not_text", f"The file is no JSON that can be read: {why[:200]}.", str(path)) from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
