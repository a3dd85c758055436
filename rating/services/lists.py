"""Price lists: what a seller charges under a brand, by a base with a mark-up and by rates of its own.

The base of a list is a table that its seller owns, a list by which its seller buys, or another list of its own; so a
mark-up always stands on something that the seller may see. A list's currency is its brand's, for wallets have it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import Carrier, ListRule, ListTerms, PriceList, PriceTerms, Rate, RateTable
from rating.services.guard import guarded
from rating.services.publishing import publish_first, set_follows
from rating.services.rates import Pricing, RateEntry, check_pricing, create_table, end_rate, set_rates
from tiers.errors import Conflict, Invalid
from tiers.models import Brand, Kind, Party, Placement
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

DEEPEST_BASE = 32


class ListDetails(Pricing, total=False):
    """`buyer` and `carrier` narrow the list; at most one base; `own_table` holds the rates entered by hand."""

    name: str
    currency: str
    buyer: Party | None
    carrier: Carrier | None
    own_table: RateTable | None
    base_table: RateTable | None
    base_list: PriceList | None
    follows: str
    active: bool


class Terms(TypedDict, total=False):
    """The mark-up as a share (0.25 adds a quarter), the add-on per minute, and what the brand sets itself.

    None is as in the base; in a rule, as with the next less specific one (mark-up and add-on too).
    """

    markup: Decimal | None
    addon: Decimal | None
    connect_fee: Decimal | None
    first_s: int | None
    step_s: int | None
    min_charge: Decimal | None


class BrandTerms(TypedDict, total=False):
    """Tax rate in percent; `default_carrier` holds where nobody chose."""

    prices_include_tax: bool
    tax_name: str
    tax_rate: Decimal
    default_carrier: Carrier | None
    below_cost: str
    dial_plan: dict[str, Any]


def create_list(seller: Party, code: str, brand: Brand, *, actor: Actor, **details: Unpack[ListDetails]) -> PriceList:
    """A price list of `seller` for everybody under one of its brands, or for one buyer; it stands published at once.

    Without terms it derives at the base's own price. Raises Invalid at the field that is wrong, Conflict (code or
    place taken)."""
    if seller.kind == Kind.CUSTOMER:
        raise Invalid("seller", _("A customer sells nothing."), where="seller")
    with written_by(actor):
        check_code_free(PriceList, code)
        fields: dict[str, Any] = {"name": code, "currency": brand.currency, **details}
        price_list = PriceList(seller=seller, code=code, brand=brand, **fields)
        _check(price_list)
        price_list.save(force_insert=True)
        publish_first(price_list, actor=actor)
    return price_list


def update_list(price_list: PriceList, *, actor: Actor, **details: Unpack[ListDetails]) -> PriceList:
    """Change a list; what is not given stays. Its currency, brand and seller stay for ever.

    Another base counts as published, for all time: the list is then another one. Who derives from it sees the same.
    """
    allowed = frozenset(ListDetails.__optional_keys__ | Pricing.__optional_keys__) - {"currency", "follows"}
    follows = details.pop("follows", None)
    with written_by(actor):
        changed = apply_changes(price_list, details, allowed)
        if changed:
            _check(price_list)
            price_list.save(update_fields=changed)
        if follows is not None:
            set_follows(price_list, follows, actor=actor)
        if {"base_table", "base_list"} & set(changed):
            publish_first(price_list, actor=actor)
    return price_list


def set_list_terms(
    price_list: PriceList,
    *,
    actor: Actor,
    valid_from: datetime | None = None,
    accept_loss: bool = True,
    **terms: Unpack[Terms],
) -> tuple[ListTerms, bool]:
    """The list's mark-up from a moment (now) on: (its terms, whether anything changed). The same moment corrects.

    Raises BelowCostError (rating.services.guard) where it would sell below cost: the brand refuses that, or warns and
    `accept_loss` is False.
    """
    moment = valid_from or timezone.now()
    with written_by(actor), guarded(price_list, accept=accept_loss, at=moment):
        PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
        row = ListTerms.objects.filter(price_list=price_list, valid_from=moment).first()
        made = row is None
        row = row or ListTerms(price_list=price_list, valid_from=moment)
        changed = apply_changes(row, terms, frozenset(Terms.__optional_keys__))
        check_terms(row)
        if made or changed:
            row.save()
    return row, made or bool(changed)


def set_own_rate(
    price_list: PriceList,
    prefix: str,
    price: Decimal,
    *,
    actor: Actor,
    effective_from: datetime | None = None,
    accept_loss: bool = True,
    **values: Any,
) -> Rate:
    """Charge `price` a minute for this prefix from a moment (now) on, whatever the base says; the rate before ends.

    `values` are the other fields of `RateEntry` (connect_fee, first_s, step_s, ...). Raises Invalid, and BelowCostError
    as `set_list_terms` does.
    """
    entry = RateEntry(prefix, price, effective_from or timezone.now(), **values)
    guard = guarded(price_list, accept=accept_loss, under=prefix, at=entry.effective_from)
    with written_by(actor), guard:
        return set_rates(own_table(price_list, actor=actor), [entry], actor=actor).rows[0]


def end_own_rate(price_list: PriceList, prefix: str, *, actor: Actor, at: datetime | None = None) -> bool:
    """From a moment (now) on the base's price holds again for this prefix. False: there was no own rate."""
    return price_list.own_table is not None and end_rate(price_list.own_table, prefix, actor=actor, at=at)


def own_table(price_list: PriceList, *, actor: Actor) -> RateTable:
    """The table of the list's own rates, made at first use."""
    if price_list.own_table is not None:
        return price_list.own_table
    with written_by(actor):
        locked = PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
        if locked.own_table is None:
            pricing: Pricing = {name: getattr(locked, name) for name in Pricing.__optional_keys__}  # type: ignore[assignment]
            code = _free_code(locked.code)
            locked.own_table = create_table(locked.seller, code, locked.name, locked.currency, actor=actor, **pricing)
            locked.save(update_fields=["own_table"])
        table: RateTable = locked.own_table
        price_list.own_table = table
    return table


def set_price_terms(brand: Brand, *, actor: Actor, **terms: Unpack[BrandTerms]) -> tuple[PriceTerms, bool]:
    """How a brand prices: (its terms, whether anything changed). Raises Invalid."""
    with written_by(actor):
        row = PriceTerms.objects.select_for_update().filter(brand=brand).first()
        made = row is None
        row = row or PriceTerms(brand=brand)
        changed = apply_changes(row, terms, frozenset(BrandTerms.__optional_keys__))
        if not row.tax_rate.is_finite() or not 0 <= row.tax_rate < 100:
            raise Invalid("tax_rate", _("A tax rate is given in percent, from 0 to below 100."), where="tax_rate")
        check_fields(row)
        if made or changed:
            row.save()
    return row, made or bool(changed)


def _check(price_list: PriceList) -> None:
    check_pricing(price_list)
    brand, seller = price_list.brand, price_list.seller
    if brand.owner_id != seller.pk:
        raise Invalid("brand", _("%s is a brand of somebody else.") % brand.name, where="brand")
    if price_list.currency != brand.currency:
        raise Invalid(
            "currency",
            _("Under this brand prices are in %s.") % brand.currency,
            where="currency",
            hint=_("Buyers' wallets have the brand's currency."),
        )
    buyer = price_list.buyer
    if buyer is not None and not Placement.objects.filter(party=buyer, seller=seller).exists():
        raise Invalid("buyer", _("%s does not buy from this seller.") % buyer.name, where="buyer")
    _check_tables(price_list)
    _check_base_list(price_list)
    _check_place(price_list)


def _check_tables(price_list: PriceList) -> None:
    own, base = price_list.own_table, price_list.base_table
    if own is not None and (own.owner_id, own.currency) != (price_list.seller_id, price_list.currency):
        raise Invalid("own_table", _("Own rates are the seller's, in the list's currency."), where="own_table")
    if base is not None and base.owner_id != price_list.seller_id:
        raise Invalid("base_table", _("That table belongs to somebody else."), where="base_table")
    if base is not None and price_list.base_list is not None:
        raise Invalid("base", _("A list has one base: a table or a list."), where="base_list")


def _check_base_list(price_list: PriceList) -> None:
    """The base is the seller's own list or one it buys by, and does not lead back here."""
    base = price_list.base_list
    if base is None:
        return
    if base.seller_id != price_list.seller_id:
        buys = Placement.objects.filter(party=price_list.seller, brand=base.brand_id).exists()
        if not buys or base.buyer_id not in (None, price_list.seller_id):
            raise Invalid("base_list", _("The seller does not buy by that list."), where="base_list")
    step: PriceList | None = base
    for _depth in range(DEEPEST_BASE):
        if step is None:
            return
        if step.pk == price_list.pk:
            break
        step = step.base_list
    raise Conflict("base_loop", _("The list would be derived from itself."), where="base_list")


def _check_place(price_list: PriceList) -> None:
    rivals = PriceList.objects.filter(
        brand=price_list.brand, buyer=price_list.buyer, carrier=price_list.carrier, active=True
    ).exclude(pk=price_list.pk)
    if price_list.active and rivals.exists():
        raise Conflict(
            "list_exists",
            _("There is an active list for this brand, buyer and carrier."),
            hint=_("Change that one, or set it inactive."),
        )


def check_terms(row: ListTerms | ListRule) -> None:
    """Raise Invalid at the term of a list or rule that nobody could charge by."""
    check_fields(row)
    if row.markup is not None and row.markup <= -1:
        raise Invalid("markup", _("A mark-up is above -1: -0.25 takes a quarter off."), where="markup")
    for name in ("addon", "connect_fee", "min_charge"):
        value = getattr(row, name)
        if value is not None and value < 0:
            raise Invalid(name, _("Less than nothing cannot be charged."), where=name)
    for name in ("first_s", "step_s"):
        if getattr(row, name) == 0:
            raise Invalid(name, _("An increment has at least one second."), where=name)


def _free_code(list_code: str) -> str:
    """A code for a list's own table: the list's, shortened, with the first number that is free."""
    stem = f"{list_code[:26]}-own"
    number = 0
    while RateTable.objects.filter(code=stem if number == 0 else f"{stem}{number}").exists():
        number += 1
    return stem if number == 0 else f"{stem}{number}"
