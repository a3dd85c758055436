"""What a buyer pays its seller: by number, by destination, by carrier. Asked by customers and by dealers as buyers.

The same engine as for real calls answers, so that a price looked up is the price charged. It says only what is due to
the buyer: never what the rate was derived from, never a cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from rating.kernel import longest
from rating.models import Carrier, CarrierChoice, PriceList, Rate
from rating.numbers import DialPlan, Number, ServiceClass
from rating.numbers.likely import likely_class
from rating.numbers.names import region_code
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.pricing.lists import Found
from rating.pricing.shelf import find_in
from rating.selectors.prices import in_force
from rating.services.dial_plans import dial_plan_of
from rating.services.quote import is_abroad, read_number
from tiers.errors import NotFound
from tiers.models import Party, Placement
from tiers.viewer import Viewer

MOST_PREFIXES = 600
LONGEST_S = 100 * 24 * 3600
SHORTEST_NUMBER = 6
SAMPLES = ("442079460000", "447700900123", "12125550177", "4930123456", "85223456789", "8613800138000")
"""Numbers whose prices are shown to somebody who has not called anybody yet."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A carrier that the buyer may choose. `chosen`: its calls abroad go by it now, by choice or by default."""

    id: UUID
    code: str
    name: str
    description: str
    chosen: bool


@dataclass(slots=True)
class PriceRow:
    """Destinations of one price: per minute in the list's currency, increments as in the kernel."""

    destination: str
    price: Decimal
    connect_fee: Decimal
    first_s: int | None
    step_s: int
    currency: str
    varies: bool
    blocked: bool
    prefixes: list[str] = field(default_factory=list)


class Tariff:
    """The prices of one buyer at one moment. Raises NotFound for a buyer that is not the viewer's to see."""

    def __init__(
        self, viewer: Viewer, buyer: Party, *, at: datetime | None = None, engine: Engine | None = None
    ) -> None:
        if not buyer.is_at_or_below(viewer.party):
            raise NotFound("no_party", _("There is no such party here."))
        self.buyer = buyer
        self.at = at or timezone.now()
        self.engine = engine or current_engine()
        self.links = self.engine.directory.chain(buyer.pk, self.at)

    @cached_property
    def plan(self) -> DialPlan:
        """How the buyer's numbers are read."""
        return dial_plan_of(self.buyer)

    @cached_property
    def chosen(self) -> UUID | None:
        """The carrier of calls abroad now: the buyer's choice, else its brand's default."""
        return self.engine.directory.choice(self.buyer.pk, self.links, self.at)

    def offers(self) -> list[Offer]:
        """Carriers it may choose: offered by the operator and priced by its seller."""
        if not self.links:
            return []
        brand = self.links[0].brand
        known = sorted(self.engine.directory.carriers.values(), key=lambda one: one.name)
        return [
            Offer(one.pk, one.code, one.name, one.description, one.pk == self.chosen)
            for one in known
            if one.offered and one.active and self.engine.shelf.carries(brand, self.buyer.pk, one.pk)
        ]

    @property
    def currency(self) -> str:
        """That of the brand it buys under: lists and wallets have it."""
        return self.engine.directory.currencies.get(self.links[0].brand, "") if self.links else ""

    def carrier_offered(self, code: str) -> Carrier:
        """The carrier that it may choose by this code. Raises NotFound: its seller would have no price by another."""
        if not any(one.code == code for one in self.offers()):
            raise NotFound("no_carrier", _("There is no such carrier to choose."), where="carrier")
        return self.engine.directory.carriers[code]

    def number(self, text: str) -> tuple[Number, bool]:
        """The number somebody typed, and whether it lies abroad. Raises Invalid in words."""
        return read_number(text, self.plan)

    def of_number(self, number: Number, carrier: UUID | None = None) -> Found | None:
        """The rate of a number; of calls abroad by this carrier, or the present one."""
        if not number.is_e164:
            return None
        return self._find(number.e164, is_abroad(number, self.plan), carrier, number.service_class)

    def of_digits(self, digits: str, carrier: UUID | None = None) -> Found | None:
        """The rate of a prefix or a whole number in E.164 digits."""
        return self._find(digits, self.lies_abroad(digits), carrier)

    def lies_abroad(self, digits: str) -> bool:
        """Whether the choice of a carrier matters for these E.164 digits."""
        return region_code(digits) != self.plan.home_country

    def by_list(self, digits: str, carrier: UUID | None) -> Found | None:
        """The rate of a number in the lists of one carrier (None: those for any), wherever the number lies."""
        return self._hit(digits, carrier)

    def _find(
        self, digits: str, abroad: bool, carrier: UUID | None, service_class: ServiceClass | None = None
    ) -> Found | None:
        return self._hit(digits, (carrier or self.chosen) if abroad else None, service_class)

    def _hit(self, digits: str, by: UUID | None, service_class: ServiceClass | None = None) -> Found | None:
        """Where rules look at the class and nobody dialled, calls are of the class that they most likely have."""
        if not self.links:
            return None
        groups = self.engine.shelf.groups(self.links[0].brand, self.buyer.pk, by)
        if service_class is None and any(group.by_class for group in groups):
            service_class = likely_class(digits, self.plan)
        hit = find_in(groups, digits, self.at, service_class)
        return hit.found if hit else None

    def search(self, text: str, carrier: UUID | None = None) -> tuple[list[PriceRow], bool]:
        """Destinations whose name contains `text` or whose code begins with it: (rows, whether some were left out)."""
        if not self.links:
            return [], False
        tables = self.engine.shelf.tables_under(self.links[0].brand, self.buyer.pk, carrier or self.chosen)
        digits = text.lstrip("+").replace(" ", "")
        wanted = Q(prefix__startswith=digits) if digits.isdigit() else Q(destination__icontains=text)
        rows = Rate.objects.filter(wanted, in_force(self.at), table__in=tables).order_by("prefix")
        prefixes = list(rows.values_list("prefix", flat=True).distinct()[: MOST_PREFIXES + 1])
        found = ((prefix, self.of_digits(prefix, carrier)) for prefix in prefixes[:MOST_PREFIXES])
        known = [(prefix, one) for prefix, one in found if one is not None and _wanted(one, text, digits)]
        first = sorted(merged(known), key=lambda row: not row.destination.casefold().startswith(text.casefold()))
        return first, len(prefixes) > MOST_PREFIXES

    def seconds_for(self, found: Found, available: Decimal) -> int:
        """How long a call may last for what is available, at most a hundred days; prepaid tax is reckoned in."""
        return longest(found.kernel, max(self._net(found, available), Decimal(0)), self.at, LONGEST_S)

    def _net(self, found: Found, available: Decimal) -> Decimal:
        purse = self.engine.directory.purse(self.buyer.pk, self.links[0].seller, found.measure.currency)
        tax = self.engine.directory.taxes.get(self.links[0].brand)
        if purse is None or not purse.prepaid or tax is None or tax.included:
            return available
        return available * 100 / (100 + tax.rate)


def _wanted(found: Found, text: str, digits: str) -> bool:
    """A rate of its own under another name than the base's is found by its own."""
    return digits.isdigit() or text.casefold() in found.row.destination.casefold()


def merged(found: Iterable[tuple[str, Found]]) -> list[PriceRow]:
    """Prefixes of the same destination and terms as one row, by name."""
    rows: dict[tuple[object, ...], PriceRow] = {}
    for prefix, one in found:
        row = one.row
        key = (row.destination, row.price, row.connect_fee, row.first_s, row.step_s, row.blocked)
        if key not in rows:
            rows[key] = PriceRow(
                row.destination,
                row.price,
                row.connect_fee,
                row.first_s,
                row.step_s,
                one.measure.currency,
                bool(row.steps or row.bands),
                row.blocked,
            )
        rows[key].prefixes.append(prefix)
    return sorted(rows.values(), key=lambda row: (row.destination, row.prefixes))


def choices(viewer: Viewer, party: Party) -> Sequence[CarrierChoice]:
    """Which carrier a party chose since when, newest first."""
    rows = CarrierChoice.visible.for_viewer(viewer).filter(party=party).select_related("carrier")
    return list(rows.order_by("-valid_from")[:50])


def buy_lists(viewer: Viewer) -> list[PriceList]:
    """The lists by which the viewer's party buys now: its own from its seller first, then those for everybody."""
    brand = _brand_bought_under(viewer.party)
    rows = PriceList.objects.filter(brand=brand, active=True).filter(Q(buyer=viewer.party) | Q(buyer__isnull=True))
    return list(rows.select_related("carrier").order_by("buyer", "code"))


def _brand_bought_under(party: Party) -> UUID | None:
    """Its own placement is its seller's row; the brand in it is the buyer's to know."""
    return Placement.objects.filter(party=party, valid_to__isnull=True).values_list("brand", flat=True).first()
