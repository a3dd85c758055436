"""Bank files for the tests: one small statement, written as banks write it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from invoicing.models import Invoice
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from tests.cast import ACTOR, Cast
from tests.invoicing.month import OCTOBER, bill_of, load_calls

SEPTEMBER = date(2026, 9, 1)
HEAD = "Value date;Amount;Currency;Reference;Payer;Bank id"


def two_bills(cast: Cast, folder: Path) -> tuple[Invoice, Invoice]:
    """Dave's issued invoices of September and October, in GBP from meadow."""
    made = []
    for month, tag in ((SEPTEMBER, "s"), (OCTOBER, "o")):
        load_calls(cast, folder, ["dave"], 12, day=month, tag=tag)
        run(cast.party("meadow"), month, actor=ACTOR)
        draft = bill_of(cast, "dave", month)
        made.append(issue(approve(draft, actor=ACTOR), actor=ACTOR))
    return made[0], made[1]


def line(
    amount: Decimal | str, reference: str, bank_id: str = "", currency: str = "GBP", day: str = "20.11.2026"
) -> str:
    return f"{day};{str(amount).replace('.', ',')};{currency};{reference};Dave Hosting Ltd;{bank_id}"


def table(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


def camt(*entries: str, version: str = "02") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}"><BkToCstmrStmt><GrpHdr/>'
        f"<Stmt><Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></Acct>{''.join(entries)}</Stmt>"
        "</BkToCstmrStmt></Document>"
    ).encode()


def entry(
    amount: Decimal | str,
    said: str,
    ref: str = "R1",
    *,
    side: str = "CRDT",
    status: str = "<Sts>BOOK</Sts>",
    more: str = "",
    payer: str = "<Dbtr><Nm>Dave Hosting Ltd</Nm></Dbtr>",
) -> str:
    return (
        f'<Ntry><Amt Ccy="GBP">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}{status}'
        "<BookgDt><Dt>2026-11-19</Dt></BookgDt><ValDt><Dt>2026-11-20</Dt></ValDt>"
        f"<AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties>{payer}</RltdPties>"
        f"<RmtInf><Ustrd>{said}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
