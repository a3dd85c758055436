"""Set-up of who: parties, their brands, members and wallets."""

from __future__ import annotations

import base64
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Billing, Funding, Wallet
from accounts.services.accounts import open_wallet
from accounts.services.funds import set_credit
from billing.setup.reading import Entry, decimal, flag, since, text
from billing.setup.tally import Tally
from tiers.errors import Conflict, Invalid
from tiers.models import Brand, Kind, Member, Party, Placement, Status
from tiers.services import brands, members, parties
from tiers.viewer import Actor

DETAILS = dict.fromkeys(("email", "contact", "phone", "address", "tax_id", "language"), text)
LOOK = dict.fromkeys(
    ("time_zone", "language", "accent", "host", "sender", "address", "phone", "website", "tax_id"), text
)


class Who:
    """Loads operator and parties in the order of the file; `folder` is where its logo files lie."""

    def __init__(self, tally: Tally, actor: Actor, folder: Path | None) -> None:
        self.tally = tally
        self.actor = actor
        self.folder = folder

    def operator(self, entry: Entry) -> Party:
        code, details = entry.text("code"), {"name": entry.text("name"), **entry.pick(**DETAILS)}
        party: Party | None = Party.objects.filter(code=code, kind=Kind.OPERATOR).first()
        if party is None:
            party = parties.create_operator(code, actor=self.actor, **details)
            self.tally.count(created=True)
        else:
            self._update_party(party, details)
        self._belongings(party, entry)
        return party

    def party(self, entry: Entry) -> Party:
        code, kind, details = entry.text("code"), entry.text("kind"), self._details(entry)
        seller, brand = find(Party, entry, "seller"), find(Brand, entry, "brand")
        begin, status = since(entry, "since"), entry.get("status", text, "")
        party: Party | None = Party.objects.filter(code=code).first()
        if party is None:
            party = parties.create_party(seller, kind, code, brand=brand, actor=self.actor, since=begin, **details)
            if status and status != Status.ACTIVE:
                parties.set_status(party, status, actor=self.actor)
            self.tally.count(created=True)
        else:
            self._same_place(party, kind, seller, brand)
            self._update_party(party, details, status)
        self._wallet(party, seller, brand, entry)
        self._belongings(party, entry)
        return party

    def _details(self, entry: Entry) -> dict[str, Any]:
        return {"name": entry.text("name"), **entry.pick(**DETAILS)}

    def _same_place(self, party: Party, kind: str, seller: Party, brand: Brand) -> None:
        """A file never moves anybody: that is a decision with a date."""
        placed = Placement.objects.filter(party=party, valid_to__isnull=True, seller=seller, brand=brand).exists()
        if party.kind != kind or not placed:
            raise Conflict(
                "placed_elsewhere",
                _("%s stands elsewhere in the tree.") % party.code,
                where="seller",
                hint=_("Move it in the portal; a set-up file does not."),
            )

    def _update_party(self, party: Party, details: dict[str, Any], status: str = "") -> None:
        changed = differs(party, details)
        if changed:
            parties.update_party(party, actor=self.actor, **details)
        if status and party.status != status:
            parties.set_status(party, status, actor=self.actor)
            changed = True
        self.tally.count(changed=changed)

    def _belongings(self, party: Party, entry: Entry) -> None:
        entry.each("brands", partial(self._brand, party))
        entry.each("members", partial(self._member, party))

    def _brand(self, owner: Party, entry: Entry) -> None:
        code = entry.text("code")
        values: dict[str, Any] = {"name": entry.text("name"), "currency": entry.text("currency")}
        values |= entry.pick(**LOOK) | self._logo(entry)
        entry.asked |= dict.fromkeys(("prices", "paper"))
        brand = Brand.objects.filter(code=code).first()
        if brand is None:
            brands.create_brand(owner, code, actor=self.actor, **values)
            self.tally.count(created=True)
            return
        if brand.owner_id != owner.pk:
            raise Conflict("brand_elsewhere", _("The brand belongs to another seller."), where="code")
        changed = differs(brand, values)
        if changed:
            brands.update_brand(brand, actor=self.actor, **values)
        self.tally.count(changed=changed)

    def _logo(self, entry: Entry) -> dict[str, bytes]:
        """A PNG beside the file (`logo_file`), or in it as base64 (`logo`)."""
        if entry.has("logo"):
            try:
                return {"logo": base64.b64decode(entry.text("logo"), validate=True)}
            except ValueError:
                raise Invalid("logo", _("This is not base64."), where="logo") from None
        return {"logo": path_beside(self.folder, entry, "logo_file").read_bytes()} if entry.has("logo_file") else {}

    def _member(self, party: Party, entry: Entry) -> None:
        email = entry.text("email").strip().lower()
        values = {"role": entry.text("role"), **entry.pick(name=text, language=text)}
        password, invited = entry.get("password", text, ""), entry.get("invite", flag, False)
        member = Member.objects.filter(email=email).first()
        if member is None and invited:
            members.invite(party, email, actor=self.actor, **values)
        elif member is None:
            members.create_member(party, email, actor=self.actor, password=password or None, **values)
        elif member.party_id != party.pk:
            raise Conflict("member_elsewhere", _("%s is a member of another party.") % email, where="email")
        changed = member is not None and differs(member, values)
        if member is not None and changed:
            members.update_member(member, actor=self.actor, **values)
        self.tally.count(created=member is None, changed=changed)

    def _wallet(self, party: Party, seller: Party, brand: Brand, entry: Entry) -> None:
        with entry.entry("wallet") as given:
            terms = given or Entry({}, entry.at("wallet"))
            currency = terms.get("currency", text, brand.currency)
            if currency != brand.currency:
                raise Invalid("currency", _("Under this brand prices are in %s.") % brand.currency, where="currency")
            funding = terms.get("funding", text, Funding.WHOLESALE.value)
            billing = terms.get("billing", text, Billing.PREPAID.value)
            limit: Decimal | None = terms.pick(credit_limit=decimal).get("credit_limit")
            settings = terms.pick(warn_below=decimal, overcommit=decimal)
            _known(funding, Funding.values, "funding")
            _known(billing, Billing.values, "billing")
            wallet = Wallet.objects.filter(account__owner=party, account__currency=currency).first()
            if wallet is None:
                wallet = open_wallet(
                    party, seller, currency, funding=funding, billing=billing, credit_limit=limit or Decimal(0)
                )
                _settle(wallet, settings)
                self.tally.count(created=True)
            else:
                self.tally.count(changed=_change_wallet(wallet, funding, billing, limit, settings, terms))


def _change_wallet(
    wallet: Wallet, funding: str, billing: str, limit: Decimal | None, settings: dict[str, Any], terms: Entry
) -> bool:
    """Bring a standing wallet to the file's terms; those that the file does not give stay."""
    if terms.has("funding") and wallet.funding != funding:
        raise Conflict("funding", _("The wallet is funded in another way; that stays."), where="funding")
    wanted = (
        billing if terms.has("billing") else wallet.billing,
        wallet.credit_limit if limit is None else limit,
    )
    changed = wanted != (wallet.billing, wallet.credit_limit)
    if changed:
        set_credit(wallet.pk, billing=wanted[0], credit_limit=wanted[1])
    return _settle(wallet, settings) or changed


def _settle(wallet: Wallet, settings: dict[str, Any]) -> bool:
    if not differs(wallet, settings):
        return False
    for name, value in settings.items():
        setattr(wallet, name, value)
    wallet.save(update_fields=list(settings))
    return True


def _known(value: str, choices: list[Any], where: str) -> None:
    if value not in choices:
        raise Invalid(where, _("It must be one of %s.") % ", ".join(choices), where=where)


def find(model: Any, entry: Entry, key: str) -> Any:
    """The row whose code stands at a key. Raises Invalid where there is none."""
    code = entry.text(key)
    row = model.objects.filter(code=code).first()
    if row is None:
        message = _("There is no %(what)s with the code %(code)s.") % {
            "what": model._meta.verbose_name,
            "code": code,
        }
        raise Invalid("not_found", message, where=key, hint=_("In the file it must stand before what names it."))
    return row


def differs(row: Any, values: dict[str, Any]) -> bool:
    """Does any of the values differ from what stands? Bytes and database buffers compare by content."""
    return any(_plain(getattr(row, name)) != value for name, value in values.items())


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def path_beside(folder: Path | None, entry: Entry, key: str) -> Path:
    """A file named in the set-up file, from the same folder or below it. Raises Invalid."""
    name = entry.text(key)
    path = ((folder or Path()) / name).resolve()
    if folder is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Invalid("no_file", _("There is no such file beside the set-up file."), where=key)
    return path
