"""The order in which a set-up file is loaded, in one transaction."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.setup.prices import Prices
from billing.setup.products import Products
from billing.setup.reading import Entry
from billing.setup.tally import Tally
from billing.setup.who import Who
from tiers.errors import Invalid, NotFound
from tiers.models import Kind, Party
from tiers.services.writing import written_by
from tiers.viewer import SYSTEM, Actor

LARGEST_FILE_BYTES = 64 * 1024 * 1024


def load_file(path: Path, *, actor: Actor = SYSTEM) -> Tally:
    """Load a set-up file; decks and logos are read beside it. Raises NotFound, Invalid."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise Invalid("too_large", _("A set-up file has at most 64 MB; put rates into deck files."))
        written = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NotFound("no_file", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid("not_utf8", _("The set-up file is not UTF-8.")) from error
    try:
        data = json.loads(written, parse_float=Decimal, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Invalid("not_json", _("The set-up file is not JSON: %s") % error) from error
    return load(data, actor=actor, folder=path.parent)


def load(data: object, *, actor: Actor = SYSTEM, folder: Path | None = None) -> Tally:
    """Load set-up data (the format is this package's docstring): what was created, changed and unchanged.

    All or nothing. Raises Invalid, Conflict or NotFound with the JSON path in `where`.
    """
    tally = Tally()
    with transaction.atomic(), written_by(actor), Entry(data, "$") as root:
        operator = _who(root, Who(tally, actor, folder))
        _prices(root, Prices(tally, actor, folder, operator))
        products = Products(tally, actor)
        root.each("products", products.product)
        root.each("subscriptions", products.subscription)
    return tally


def _who(root: Entry, who: Who) -> Party:
    with root.entry("operator") as entry:
        operator = who.operator(entry) if entry else Party.objects.filter(kind=Kind.OPERATOR).first()
    if operator is None:
        raise NotFound("no_operator", _("There is no operator yet: the file must name one."), where="operator")
    root.each("parties", partial(_party, who))
    return operator


def _party(who: Who, entry: Entry) -> None:
    who.party(entry)
    entry.asked |= dict.fromkeys(("identities", "carrier", "carrier_from"))


def _prices(root: Entry, prices: Prices) -> None:
    """In this order, since each may name what stands before it; brands and parties are gone through once more."""
    root.each("exchange_rates", prices.exchange_rate)
    root.each("rate_tables", prices.rate_table)
    root.each("carriers", prices.carrier)
    root.each("sources", prices.source)
    with root.entry("operator") as operator:
        if operator is not None:
            _terms_of_brands(prices, operator)
    root.each("parties", partial(_terms_of_brands, prices))
    root.each("destination_groups", prices.destination_group)
    root.each("price_lists", prices.price_list)
    root.each("parties", partial(_belongings, prices))


def _terms_of_brands(prices: Prices, entry: Entry) -> None:
    def one(brand: Entry) -> None:
        prices.brand_terms(brand)
        _rest_is_known(brand)

    entry.each("brands", one)
    _rest_is_known(entry)


def _belongings(prices: Prices, entry: Entry) -> None:
    prices.belongings(entry)
    _rest_is_known(entry)


def _rest_is_known(entry: Entry) -> None:
    """Its other keys were read, and judged, in an earlier pass."""
    entry.asked |= dict.fromkeys(entry.values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _value in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise Invalid("key_twice", _("The key %s is given twice in one object.") % twice)
    return found
