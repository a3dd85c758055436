"""The frozen context: everything that a bill prints, decided and kept before anything is drawn.

Services fill it once, when a number is given, and store `to_json()` beside the invoice. The renderers read
nothing else, so PDF, DOCX, CSV and mail cannot disagree, and a bill from last year prints as it did then.

Signs. `opening_balance`, `payments` and `closing_balance` are as in the buyer's wallet: positive is money
that the buyer has with the seller. `net`, `tax`, `total` and the lines are charges: positive is what the
buyer is charged. So on an invoice and a statement closing = opening + payments + adjustments - total. On a
credit note lines and totals are what is given back, positive.

Exactness. `net` and the lines' `net` are exact; `tax` and `total` are rounded to the currency's decimals,
and `rounding` is what is posted to make wallet and paper agree. Paper shows `total - tax` as its net, so it
adds up. A context whose sums do not hold is refused when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from invoicing.render import frozen

CONTEXT_VERSION = 1

INVOICE, STATEMENT, CREDIT_NOTE = "invoice", "statement", "credit_note"
KINDS = (INVOICE, STATEMENT, CREDIT_NOTE)
PAPERS = ("A4", "Letter")
CALLS_GROUPS = ("number", "day")

# What a line is about; says in which order lines stand and which may be summed up when there are too many.
RENTAL, CALLS, USAGE, CHARGE, CORRECTION, CREDIT = (
    "rental",
    "calls",
    "usage",
    "charge",
    "correction",
    "credit",
)
LINE_KINDS = (RENTAL, CALLS, USAGE, CHARGE, CORRECTION, CREDIT)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyBlock:
    """A seller (its brand) or a buyer as printed. `logo` is the name of a file in `Assets`, "" for none."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    code: str = ""
    contact: str = ""
    short_name: str = ""  # in attachment names; "" takes the first word of the name
    logo: str = ""
    accent: str = "#1f4e79"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLine:
    """One thing charged. For calls `quantity` counts calls and `duration_s` is what was billed, in seconds.

    `label` is in the buyer's language; `unit` likewise ("month", "GB"), "" where the quantity needs none. `carrier`
    is named where the bill has a part for each of several.
    """

    label: str
    net: Decimal
    kind: str = CHARGE
    quantity: Decimal = Decimal(1)
    unit: str = ""
    duration_s: int = 0
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """Tax of one rate: `rate` in percent, `base` exact, `amount` in the currency's decimals."""

    name: str
    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBar:
    """A month of the chart, oldest first, the last is this one. `label` is short: "Oct"."""

    label: str
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRow:
    """Calls to one destination over one carrier. `net` is as rated: with tax where prices include tax."""

    carrier: str
    destination: str
    calls: int
    duration_s: int
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBlock:
    """How to pay. `account` is an IBAN or an account number; a QR code is printed for EUR to an IBAN."""

    holder: str = ""
    bank: str = ""
    account: str = ""
    bic: str = ""
    reference: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceContext:
    """A whole bill. Dates are local to `time_zone`, the period's ends are inclusive. `number` "" is a
    draft.
    """

    kind: str
    number: str
    language: str  # of the texts: "en", "zh-hant"
    locale: str  # of figures and dates: "en_GB", "zh_Hant_HK"
    time_zone: str
    currency: str
    decimals: int  # the currency's
    issue_date: date
    period_start: date
    period_end: date
    seller: PartyBlock
    buyer: PartyBlock
    net: Decimal
    tax: Decimal
    total: Decimal
    due: Decimal
    version: int = CONTEXT_VERSION
    series: str = ""
    paper: str = "A4"
    due_date: date | None = None
    lines: tuple[SummaryLine, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()
    rounding: Decimal = ZERO
    opening_balance: Decimal = ZERO
    payments: Decimal = ZERO
    adjustments: Decimal = ZERO  # other movements of the wallet: refunds, withdrawals
    closing_balance: Decimal = ZERO
    prepaid: bool = False
    prices_include_tax: bool = False
    history: tuple[MonthBar, ...] = ()
    details: tuple[DetailRow, ...] = ()
    payment: PaymentBlock = PaymentBlock()
    original_number: str = ""  # credit note: the invoice that it corrects
    original_date: date | None = None
    notes: tuple[str, ...] = ()  # paragraphs: a reverse-charge sentence, a reason
    footer: str = ""
    calls_group: str = "number"

    def __post_init__(self) -> None:
        """Refuse a context that no renderer could print. Raises BadContext."""
        if self.version > CONTEXT_VERSION:
            raise frozen.BadContext(f"context.version {self.version} is newer than {CONTEXT_VERSION}")
        for name, allowed in (("kind", KINDS), ("paper", PAPERS), ("calls_group", CALLS_GROUPS)):
            if getattr(self, name) not in allowed:
                raise frozen.BadContext(f"context.{name} is not one of {', '.join(allowed)}")
        for line in self.lines:
            if line.kind not in LINE_KINDS:
                raise frozen.BadContext(f"context.lines: {line.kind} is not one of {', '.join(LINE_KINDS)}")
        self._check_sums()

    def _check_sums(self) -> None:
        """A bill that does not add up is never printed: lines to net, taxes to tax, both to the total."""
        lines, taxes = sum((x.net for x in self.lines), ZERO), sum((x.amount for x in self.tax_lines), ZERO)
        if self.lines and lines != self.net:
            raise frozen.BadContext(f"context.lines add up to {lines}, not to the net {self.net}")
        if taxes != self.tax:
            raise frozen.BadContext(f"context.tax_lines add up to {taxes}, not to the tax {self.tax}")
        unit = Decimal(1).scaleb(-self.decimals)
        if abs(self.total - self.tax - self.net) > unit * (1 + len(self.tax_lines)):
            raise frozen.BadContext(f"context.total {self.total} is not the net {self.net} and tax {self.tax}")

    @property
    def paper_net(self) -> Decimal:
        """The net as printed: what is left of the total after its tax."""
        return self.total - self.tax

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: amounts as strings, dates as ISO text."""
        result: dict[str, Any] = frozen.dump(self)
        return result

    @classmethod
    def from_json(cls, value: Any) -> InvoiceContext:
        """The context that `to_json` gave. Raises BadContext, which names the field."""
        result: InvoiceContext = frozen.load(cls, value)
        return result


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call on the annex and in the CSV, as sold. `started_at` is local and aware.

    Renderers read calls as a stream, once. They come in the order of `calls_group`: by caller and then time
    for "number", by time for "day". `net` is as rated, with the list's decimals: with tax where prices
    include tax.
    """

    started_at: datetime
    caller: str  # E.164 with "+", or the account's own name for the line
    callee: str  # E.164 with "+"
    callee_display: str  # grouped as people write it
    destination: str
    carrier: str
    duration_s: int
    billed_s: int
    net: Decimal
    call_id: str
