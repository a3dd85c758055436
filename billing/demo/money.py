"""The demo's money: what buyers paid their sellers, what was allocated, and which invoices were paid."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, Decimal

from accounts.models import Transfer
from accounts.services.accounts import wallet_of
from accounts.services.funds import Move, allocate, record_payment, withdraw
from billing.demo.customers import CUSTOMERS
from billing.demo.story import SELLER_OF
from invoicing.models import Invoice, InvoiceKind, InvoiceStatus
from invoicing.services import payments
from tiers.models import Party
from tiers.viewer import Actor

DEALERS_LEFT = {"pier": 420, "harbour": 1600, "summit": 12_000, "outsider": 380}
"""What the prepaid dealers still have, in the currency of their wallets; buyers before their sellers."""
SCARCE = 5
PAYS_HALF = "elbe-logistics"
PAYS_LATE = {"bytefield", "werft-technik", "orchard-clinic", "liberty-campus"}
ALLOCATIONS = [
    ("northstar", "harbour", "500", "Spring campaign"),
    ("northstar", "maas-hotel", "50", "Goodwill: an hour without service"),
    ("summit", "queensway-hotel", "1000", "Credit line for the trade fair"),
    ("harbour", "kontor-film", "40", "Trial of Boreal"),
    ("northstar", "union-diner", "80", "Second counter"),
]


def top_up_all(month: date, actor: Actor) -> None:
    """Every prepaid buyer pays what brings its wallet back to what the story says, as payments of this month."""
    for customer in CUSTOMERS:
        if not customer.postpaid:
            left = customer.left if customer.brand != "summit" else max(customer.left, 10)
            _top_up(SELLER_OF[customer.brand], customer.code, Decimal(left), month, actor)
    for code, left in DEALERS_LEFT.items():
        _top_up("harbour" if code == "pier" else "northstar", code, Decimal(left), month, actor)


def _top_up(seller: str, buyer: str, left: Decimal, month: date, actor: Actor) -> None:
    """Two payments, at the beginning and past the middle of the month; round amounts, but for who has little."""
    who, wallet = Party.objects.get(code=buyer), wallet_of(Party.objects.get(code=buyer))
    missing = left - wallet.posted
    key = f"demo:{buyer}:{month:%Y-%m}"
    if missing <= 0 or Transfer.objects.filter(key__startswith=f"payment:{key}:").exists():
        return
    unit = Decimal(1) if left <= SCARCE else Decimal(10)
    total = (missing / unit).to_integral_value(ROUND_CEILING) * unit
    first = (total * 6 / 10 / unit).to_integral_value(ROUND_CEILING) * unit
    for number, (amount, day) in enumerate(((first, 1), (total - first, 17)), start=1):
        if amount > 0:
            move = Move(amount, wallet.account.currency, f"{key}:{number}", actor)
            record_payment(
                Party.objects.get(code=seller), who, move,
                received_on=month.replace(day=day), method="bank transfer", reference=f"{buyer} {month:%m}/{number}",
            )  # fmt: skip


def allocate_all(month: date, actor: Actor) -> None:
    """Funds given down the tiers, one of them from the operator through two dealers, and a little taken back."""
    for giver, receiver, amount, reason in ALLOCATIONS:
        allocate(*_pair(giver, receiver), _move(receiver, amount, f"demo:{receiver}:{month:%Y-%m}", reason, actor))
    back = _move("union-diner", "25", f"demo:back:{month:%Y-%m}", "The second counter stays closed", actor)
    if not Transfer.objects.filter(key__startswith=f"withdrawal:{back.key}").exists():
        withdraw(*_pair("northstar", "union-diner"), back)


def pay_invoices(month: date, today: date, actor: Actor) -> int:
    """Most postpaid buyers have paid last month's invoice by now, one of them half, some nothing; how many paid."""
    invoices = Invoice.objects.select_related("seller", "buyer").filter(
        month=month, kind=InvoiceKind.INVOICE, due__gt=0, status__in=[InvoiceStatus.ISSUED, InvoiceStatus.SENT]
    )
    paid = 0
    for invoice in invoices.order_by("number"):
        key = f"demo:{invoice.number}"
        if invoice.buyer.code in PAYS_LATE or Transfer.objects.filter(key=f"payment:{key}").exists():
            continue
        share = 2 if invoice.buyer.code == PAYS_HALF else 1
        amount = (invoice.due / share).quantize(Decimal("0.01"))
        if amount <= 0:
            continue
        move = Move(amount, invoice.currency, key, actor)
        payments.record_payment(
            invoice.seller, invoice.buyer, move,
            received_on=today, method="bank transfer", reference=str(invoice.number),
        )  # fmt: skip
        paid += 1
    return paid


def _pair(above: str, below: str) -> tuple[Party, Party]:
    return Party.objects.get(code=above), Party.objects.get(code=below)


def _move(receiver: str, amount: str, key: str, reason: str, actor: Actor) -> Move:
    currency = wallet_of(Party.objects.get(code=receiver)).account.currency
    return Move(Decimal(amount), currency, key, actor, reason)
