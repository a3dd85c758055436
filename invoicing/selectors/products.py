"""The catalogue and subscriptions as a viewer may see them: what it sells, what it buys, what each part costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from invoicing.models import AllowanceUse, Charge, Product, ProductPrice, Subscription
from invoicing.services.periods import today_in
from invoicing.services.subscribed import subscribed_many
from tiers.errors import NotFound
from tiers.viewer import Viewer

RUNNING, COMING, ENDED = "active", "draft", "closed"


def products(viewer: Viewer) -> QuerySet[Product]:
    """What the viewer's part of the tree sells."""
    return Product.visible.for_viewer(viewer).select_related("brand", "seller", "resells").defer("brand__logo")


def own_products(viewer: Viewer) -> QuerySet[Product]:
    return products(viewer).filter(seller=viewer.party)


def product_by_code(viewer: Viewer, code: str) -> Product:
    """One of the viewer's own. Raises NotFound."""
    found = own_products(viewer).filter(code=code).first()
    if found is None:
        raise NotFound("no_product", _("There is no such product here."))
    return found


def to_resell(viewer: Viewer) -> QuerySet[Product]:
    """What the viewer's own seller offers: a buyer may know what it can buy."""
    above = viewer.party.parent_path
    found = Product.objects.filter(seller__path=above or "", active=True)
    return found.select_related("brand").defer("brand__logo").order_by("name")


def prices_on(found: Collection[Product], day: date) -> dict[UUID, Decimal]:
    """By product: what one costs in a period that begins on the day."""
    rows = ProductPrice.objects.filter(product__in=found, valid_from__lte=day).order_by("product_id", "-valid_from")
    return dict(rows.distinct("product_id").values_list("product_id", "price"))


def subscribers(found: Collection[Product]) -> dict[UUID, int]:
    """By product: how many subscriptions have not ended."""
    rows = Subscription.objects.filter(product__in=found, ends_on__isnull=True).order_by()
    return dict(rows.values_list("product_id").annotate(count=Count("id")))


def subscriptions(viewer: Viewer) -> QuerySet[Subscription]:
    found: QuerySet[Subscription] = Subscription.visible.for_viewer(viewer)
    related = ("product__brand", "buyer", "seller", "wallet__account", "serves__buyer")
    return found.select_related(*related).defer("product__brand__logo")


def sold(viewer: Viewer) -> QuerySet[Subscription]:
    return subscriptions(viewer).filter(seller=viewer.party)


def bought(viewer: Viewer) -> QuerySet[Subscription]:
    return subscriptions(viewer).filter(buyer=viewer.party)


def subscription_by_id(viewer: Viewer, key: UUID) -> Subscription:
    """Raises NotFound."""
    found = subscriptions(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_subscription", _("There is no such subscription here."))
    return found


def charges(viewer: Viewer) -> QuerySet[Charge]:
    """Charges beside calls, newest first by id."""
    found: QuerySet[Charge] = Charge.visible.for_viewer(viewer)
    return found.select_related("buyer", "seller", "product", "transfer__billed__invoice").defer(
        "transfer__billed__invoice__context"
    )


def allowances_of(viewer: Viewer, rows: Collection[Subscription], month: date) -> list[AllowanceUse]:
    """What is included and left in the month."""
    found = AllowanceUse.visible.for_viewer(viewer).filter(subscription__in=rows, month=month, included__gt=0)
    return list(found.select_related("product").order_by("subscription__starts_on", "pk"))


@dataclass(frozen=True, slots=True)
class Line:
    """A subscription as it is today: `amount` of a whole period; `cost` what its seller pays for it above, if so."""

    row: Subscription
    quantity: int
    unit_price: Decimal
    state: str
    cost: Decimal | None = None
    cost_currency: str = ""

    @property
    def amount(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def currency(self) -> str:
        return self.row.wallet.account.currency

    @property
    def margin(self) -> Decimal | None:
        """What is left of it for the seller, where both are in one currency."""
        return self.amount - self.cost if self.cost is not None and self.cost_currency == self.currency else None


def lines(rows: Sequence[Subscription], *, costs: bool) -> list[Line]:
    """Of subscriptions that were found for a viewer; `costs` only for their seller."""
    above = _bought_for(rows) if costs else {}
    cases = subscribed_many([*rows, *above.values()])
    known = {case.row.pk: case.now(today_in(case.brand.time_zone)) for case in cases}
    found = []
    for row in rows:
        now, up = known[row.pk], above.get(row.pk)
        cost = known[up.pk].amount if up is not None else None
        currency = up.wallet.account.currency if up is not None else ""
        found.append(Line(row, now.quantity, now.unit_price, state_of(row), cost, currency))
    return found


def state_of(row: Subscription) -> str:
    today = today_in(row.product.brand.time_zone)
    if row.ends_on is not None and row.ends_on <= today:
        return ENDED
    return COMING if row.starts_on > today else RUNNING


def _bought_for(rows: Sequence[Subscription]) -> dict[UUID | None, Subscription]:
    found = Subscription.objects.filter(serves__in=[row.pk for row in rows])
    related = found.select_related("product__brand", "wallet__account").defer("product__brand__logo")
    return {row.serves_id: row for row in related}


def running(rows: QuerySet[Subscription], day: date) -> QuerySet[Subscription]:
    """Those that have not ended on the day."""
    return rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day))
