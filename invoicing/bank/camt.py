"""camt.053, the bank's statement as XML (ISO 20022), versions .02 to .13, read by local names.

Read by a parser that refuses entities and document types. Only what is booked counts; a batch entry whose details add
up to it becomes one entry for each payment in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.translation import gettext as _

from invoicing.bank.entry import Read, amount_of, tidy
from tiers.errors import Invalid

STATEMENT = "BkToCstmrStmt"


def camt_entries(content: bytes) -> Iterator[Read]:
    """Booked entries in the file's order. Raises Invalid for XML that is broken, dangerous or something else."""
    account, known = "", False
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
            name = _local(element)
            if event == "start":
                known = known or name == STATEMENT
                account = "" if name == "Stmt" else account
            elif name == "Acct" and not account:
                account = _account(element)
            elif name == "Ntry":
                if known:
                    yield from _entry(element, account)
                element.clear()
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise Invalid("xml", _("The file is not well-formed XML."), where="file") from error
    if not known:
        raise Invalid("camt", _("This XML is not a bank statement (camt.053)."), where="file")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, path: str) -> list[Element]:
    found = [element]
    for name in path.split("/"):
        found = [child for one in found for child in one if _local(child) == name]
    return found


def _text(element: Element, *paths: str) -> str:
    """The first of these paths that says something."""
    for path in paths:
        for found in _all(element, path):
            if found.text and found.text.strip():
                return found.text.strip()
    return ""


def _account(element: Element) -> str:
    return tidy(_text(element, "Id/IBAN", "Id/Othr/Id").replace(" ", ""), 40)


def _entry(element: Element, account: str) -> Iterator[Read]:
    if _text(element, "Sts/Cd", "Sts") != "BOOK":
        return
    amounts = _all(element, "Amt")
    if not amounts:
        raise Invalid("amount", _("An entry stands in the file without its amount."), where="file")
    total, currency = amount_of(amounts[0].text or "", "file"), amounts[0].attrib.get("Ccy", "").strip().upper()
    if total == 0:
        return
    direction = _text(element, "CdtDbtInd")
    reversal = _text(element, "RvslInd").lower() in ("true", "1")
    day = _day(element)
    parts = _parts(element, total, currency, direction)
    for part, amount in parts:
        alone = len(parts) == 1
        own = _text(part, "Refs/AcctSvcrRef")
        reference = own or _text(element, "AcctSvcrRef")
        if not alone and not own and reference:
            reference += "/" + _text(part, "Refs/TxId", "Refs/EndToEndId", "Refs/InstrId")
        yield Read(
            account=account,
            bank_reference=tidy(reference, 100),
            value_date=day,
            amount=amount,
            currency=currency[:3],
            credit=direction == "CRDT",
            payer=tidy(_payer(part), 200),
            text=tidy(_said(element, part, alone), 500),
            reversal=reversal,
        )


def _parts(element: Element, total: Decimal, currency: str, direction: str) -> list[tuple[Element, Decimal]]:
    """The payments of a batch where their amounts are said and make up the entry; else the entry as one."""
    details = _all(element, "NtryDtls/TxDtls")
    if len(details) == 1:
        return [(details[0], total)]
    parts = []
    for one in details:
        said = _all(one, "Amt") or _all(one, "AmtDtls/TxAmt/Amt")
        way = _text(one, "CdtDbtInd")
        if not said or said[0].attrib.get("Ccy", "").upper() != currency or (way and way != direction):
            return [(element, total)]
        parts.append((one, amount_of(said[0].text or "", "file")))
    fits = bool(parts) and all(amount > 0 for _one, amount in parts) and sum(a for _one, a in parts) == total
    return parts if fits else [(element, total)]


def _payer(part: Element) -> str:
    debtor = ("RltdPties/UltmtDbtr/Nm", "RltdPties/UltmtDbtr/Pty/Nm", "RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm")
    return _text(part, *debtor[2:], *debtor[:2])


def _said(entry: Element, part: Element, alone: bool) -> str:
    """All that the payer wrote, and what the bank added."""
    roots = _all(entry, "NtryDtls/TxDtls") if part is entry else [part]
    paths = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/AddtlRmtInf", "Refs/EndToEndId", "AddtlTxInf")
    words = [found.text or "" for one in roots for path in paths for found in _all(one, path)]
    if alone:
        words.append(_text(entry, "AddtlNtryInf"))
    return " ".join(word.strip() for word in words if word.strip() and word.strip() != "NOTPROVIDED")


def _day(element: Element) -> date:
    text = _text(element, "ValDt/Dt", "ValDt/DtTm", "BookgDt/Dt", "BookgDt/DtTm")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Invalid("day", _("%s is not a day.") % (text[:40] or "–"), where="file") from None
