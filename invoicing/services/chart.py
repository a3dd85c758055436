"""A seller's codes for its chart of accounts, entered."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import Account, Wallet
from invoicing.books.chart import DEFAULTS, SEVERAL
from invoicing.models import ChartCode, Position
from tiers.errors import Invalid, NotFound
from tiers.models import Party
from tiers.services.writing import check_fields, written_by
from tiers.viewer import Actor


def set_code(seller: Party, position: str, code: str, *, actor: Actor, of: str = "") -> ChartCode | None:
    """Book a position under this code; `of` names one customer or carrier. An empty code is the default again.

    Raises Invalid for a code or position of no use, NotFound for a customer or carrier that the seller has not.
    """
    if position not in DEFAULTS:
        raise Invalid("position", _("There is no such account."), where="position")
    if of:
        _require_one(seller, position, of)
    with written_by(actor):
        row = ChartCode.objects.select_for_update().filter(seller=seller, position=position, of=of).first()
        if not code.strip():
            if row is not None:
                row.delete()
            return None
        row = row or ChartCode(seller=seller, position=position, of=of)
        row.code = code.strip()
        check_fields(row)
        row.save()
    return row


def _require_one(seller: Party, position: str, of: str) -> None:
    if position not in SEVERAL:
        raise Invalid("of", _("This account is one for all; it has one code."), where="of")
    if position == Position.CARRIER:
        found = Account.objects.filter(owner=seller, kind="carrier", label=of).exists()
    else:
        found = Wallet.objects.filter(seller=seller, account__owner__code=of).exists()
    if not found:
        raise NotFound("no_account", _("There is no account of %s here.") % of, where="of")
