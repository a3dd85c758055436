"""A bank's file comes in: read, kept entry by entry, and what names its invoices is booked at once.

All entries are kept in one transaction, each is then booked in its own: one that does not fit stops no other, and a
process that died half-way is caught up with by the same file again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from invoicing.bank.camt import camt_entries
from invoicing.bank.entry import MOST_BYTES, MOST_ENTRIES, Read, keyed
from invoicing.bank.table import csv_entries
from invoicing.models import BankEntry, BankFile, EntryStatus
from invoicing.services.bank_matching import match
from tiers.errors import Invalid
from tiers.ids import uuid7
from tiers.models import Party
from tiers.viewer import Actor


@dataclass(frozen=True, slots=True)
class Imported:
    """`known` were told before; of the `fresh`, `debits` are no payments. `booked` now, `waiting` for a person."""

    file: BankFile
    fresh: int
    known: int
    booked: int
    waiting: int
    debits: int


def import_bank(
    seller: Party,
    name: str,
    content: bytes,
    *,
    actor: Actor,
    mapping: Mapping[str, str] | None = None,
    currency: str = "",
) -> Imported:
    """Bring in camt.053 or CSV. `currency` is that of a CSV without such a column. Raises Invalid; nothing is kept."""
    if len(content) > MOST_BYTES:
        raise Invalid("too_large", _("A bank file has at most 20 MB."), where="file")
    is_xml = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or content[:2] in (b"\xff\xfe", b"\xfe\xff")
    entries = camt_entries(content) if is_xml else csv_entries(content, mapping, currency)
    read = list(keyed(islice(entries, MOST_ENTRIES + 1)))
    if len(read) > MOST_ENTRIES:
        raise Invalid("too_many", _("A bank file has at most %d entries.") % MOST_ENTRIES, where="file")
    file = in_transaction(lambda: _keep(seller, name, content, "camt" if is_xml else "csv", read, actor))
    mine = BankEntry.objects.filter(file=file)
    debits = mine.filter(status=EntryStatus.DEBIT).count()
    keys = [key for key, _entry in read]
    told = BankEntry.objects.filter(seller=seller, key__in=keys).order_by("id")
    booked = sum(match(pk, actor=actor) for pk in told.filter(status=EntryStatus.WAITING).values_list("pk", flat=True))
    waiting = told.filter(status=EntryStatus.WAITING).count()
    return Imported(file, file.fresh, file.entries - file.fresh, booked, waiting, debits)


def _keep(seller: Party, name: str, content: bytes, form: str, read: list[tuple[str, Read]], actor: Actor) -> BankFile:
    file = BankFile.objects.create(
        seller=seller,
        name=name[:200],
        sha256=hashlib.sha256(content).hexdigest(),
        form=form,
        entries=len(read),
        fresh=0,
        created_by=actor.label[:254],
    )
    rows = [_row(file, key, entry) for key, entry in read]
    # In the order of their keys, so that two files at once wait for each other and not both.
    BankEntry.objects.bulk_create(sorted(rows, key=lambda row: row.key), ignore_conflicts=True, batch_size=1000)
    file.fresh = BankEntry.objects.filter(file=file).count()
    file.save(update_fields=["fresh"])
    return file


def _row(file: BankFile, key: str, entry: Read) -> BankEntry:
    # By ISO 20022 a reversal that is a debit takes a payment back; one that is a credit gives back what we paid.
    ours = entry.credit != entry.reversal
    return BankEntry(
        id=uuid7(),
        seller_id=file.seller_id,
        file=file,
        key=key,
        account=entry.account,
        bank_reference=entry.bank_reference,
        value_date=entry.value_date,
        amount=entry.amount,
        currency=entry.currency,
        payer=entry.payer,
        text=entry.text,
        reversal=entry.reversal and ours,
        status=EntryStatus.WAITING if ours else EntryStatus.DEBIT,
    )
