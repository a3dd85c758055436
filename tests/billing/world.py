"""The cast after two months of business: funds, calls, an unrated one, a bad line, bills issued and in the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import AlertEvent, AlertRule, Transfer
from accounts.selectors import money
from accounts.services.alert_rules import Applied, Terms, set_rule
from accounts.services.alerts import raise_alarm
from invoicing.models import BankEntry, Invoice, OutboxMail, Subscription
from invoicing.services import documents
from invoicing.services.bank_files import import_bank
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from invoicing.services.mailing import send
from rating.live.ending import find, started
from rating.live.limits import set_limits
from rating.models import (
    DeckFile,
    Follows,
    LiveCall,
    RatedCall,
    RateTable,
    SourceIdentity,
    SwitchKey,
    UsageImport,
)
from rating.services.bars import Barred, add_bar
from rating.services.deck_files import receive_deck, work_deck
from rating.services.imports import import_file
from rating.services.list_rules import Target, create_group, set_list_rule
from rating.services.lists import set_list_terms, set_own_rate
from rating.services.publishing import publish, set_follows
from rating.services.rerating import Selection, preview
from tests.cast import ACTOR, Cast
from tests.invoicing.month import HEADER, call_lines
from tests.invoicing.products import product, subscribed
from tests.rating.live_help import a_switch, ask
from tiers.models import ApiKey
from tiers.services.keys import create_key

FUNDS = {"harbour": 900, "pier": 300, "summit": 5000, "carol": 800, "alice": 120, "bob": 60, "erin": 40, "mallory": 10}
CALLERS = ("alice", "bob", "carol", "dave", "erin")
NO_PRICE, NO_TIME = "81312345678", "not a time"


@dataclass
class World:
    """The cast, with a row of each kind that pages show."""

    cast: Cast
    last_month: date
    this_month: date
    usage_import: UsageImport
    keys: dict[str, ApiKey]
    changes: dict[str, dict[str, Any]]

    def price_changes(self, code: str) -> dict[str, Any]:
        """By the page that is about it: a rule, a mark-up, a publication to come, a group, of a list."""
        return self.changes[code]

    def call(self, seller: str) -> RatedCall:
        found: RatedCall = RatedCall.objects.filter(seller=self.cast.party(seller)).latest("id")
        return found

    def call_of(self, buyer: str) -> RatedCall:
        found: RatedCall = RatedCall.objects.filter(buyer=self.cast.party(buyer)).latest("id")
        return found

    def bill(self, seller: str, *, issued: bool = True) -> Invoice:
        found = Invoice.objects.filter(seller=self.cast.party(seller), number__isnull=not issued).order_by("id")
        first = found.first()
        assert first is not None, f"no bill of {seller}"
        return first

    def bill_to(self, buyer: str) -> Invoice:
        found: Invoice = Invoice.objects.filter(buyer=self.cast.party(buyer), number__isnull=False).latest("id")
        return found

    def rendered(self, invoice: Invoice) -> UUID:
        """The key of an invoice whose papers are made."""
        documents.render(invoice)
        return invoice.pk

    def transfer(self, seller: str) -> Transfer:
        found = money.transfers_of(self.cast.viewer(seller), self.cast.party(seller)).order_by("-id").first()
        assert found is not None
        return found

    def rerating(self, seller: str) -> UUID:
        """A run of this seller that was compared."""
        now = timezone.now()
        chosen = Selection(self.cast.party(seller), now - timedelta(days=40), now, "a rate was corrected")
        return preview(chosen, actor=ACTOR).pk

    def alarm(self, seen_by: str) -> AlertEvent:
        """An alarm about the party, by its seller's rule (the operator's: about its dealer harbour)."""
        party = self.cast.party("harbour" if seen_by == "northstar" else "alice")
        seller = self.cast.party("northstar" if seen_by == "northstar" else "harbour")
        found = AlertEvent.objects.filter(party=party, owner=seller).first()
        if found is None:
            applied, now = Applied("spend_hour", seller, Terms(), direct=True), timezone.now()
            figures = {
                "currency": "EUR",
                "spent": "62.1",
                "limit": "50",
                "start": now.isoformat(),
                "end": now.isoformat(),
            }
            found = raise_alarm(applied, party, figures, now=now, occasion="a busy hour")
        assert found is not None
        return found

    def alarm_rule(self, owner: str) -> AlertRule:
        """A rule that the party has written: sellers for all, a customer for itself."""
        party = self.cast.party(owner)
        terms = Terms(currency="EUR", threshold=Decimal(50))
        return set_rule(party, party if owner == "alice" else None, "spend_hour", terms, actor=ACTOR)

    def subscription(self, seller: str) -> Subscription:
        """One that this seller sells."""
        found: Subscription = Subscription.objects.filter(seller=self.cast.party(seller)).latest("id")
        return found

    def identity(self, code: str) -> SourceIdentity:
        found: SourceIdentity = SourceIdentity.objects.get(party=self.cast.party(code))
        return found

    def deck(self) -> UUID:
        """The key of a deck of Atlas that waits for a yes."""
        found = DeckFile.objects.filter(table__code="atlas").first()
        if found is None:
            text = b"Prefix,Destination,Rate,Billing\n852,Hong Kong,0.0300,60/1\n81,Japan,0.0210,1/1\n44,UK,oops,1/1\n"
            found = receive_deck(RateTable.objects.get(code="atlas"), [text], "atlas-june.csv", actor=ACTOR)
            work_deck(found.pk)
        return found.pk

    def live_call(self) -> UUID:
        """The key of a call of Alice that goes on, through the operator's switch."""
        found = LiveCall.objects.filter(call_id="sample").first()
        if found is None:
            switch = a_switch(self.cast, interims=True)
            ask(switch, "sample")
            found = find(switch, "sample")
            started(switch, found)
        return found.pk

    def switch_key(self, source: str) -> UUID:
        """The key of a switch of this source."""
        if not SwitchKey.objects.filter(source__code=source).exists():
            a_switch(self.cast, source=source)
        key: UUID = SwitchKey.objects.filter(source__code=source).latest("id").pk
        return key

    def call_limit(self, code: str) -> UUID:
        """The key of the limits of this party's calls."""
        return set_limits(self.cast.party(code), 10, None, actor=ACTOR).pk

    def bar(self, buyer: str, maker: str) -> UUID:
        """The key of a destination that is closed to the buyer."""
        party, by = self.cast.party(buyer), self.cast.party(maker)
        return add_bar(party, Barred("premium"), by=by, actor=ACTOR).pk

    def bank_entry(self, seller: str) -> UUID:
        """A payment on the seller's bank account that waits for a person."""
        party, content = self.cast.party(seller), b"date;amount;currency\n2026-11-20;12.00;EUR\n"
        import_bank(party, "bank.csv", content, actor=ACTOR)
        key: UUID = BankEntry.objects.get(seller=party).pk
        return key

    def mail(self, seller: str) -> OutboxMail:
        found: OutboxMail = OutboxMail.objects.filter(seller=self.cast.party(seller)).latest("id")
        return found


def build_world(cast: Cast, folder: Path, calls: int = 12) -> World:
    """So many calls for each customer in the last month and in this one; the last month is billed."""
    this_month = timezone.now().date().replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    for code, amount in FUNDS.items():
        cast.fund(code, amount)
    _import(cast, folder, "last-month.csv", call_lines(CALLERS, calls, day=last_month, tag="l"))
    lines = call_lines(CALLERS, calls, day=this_month, tag="t")
    first = lines[0].split(",")
    lines.append(",".join(["no-price", *first[1:3], NO_PRICE, *first[4:]]))
    lines.append(",".join(["bad-line", *first[1:4], NO_TIME, *first[5:]]))
    usage_import = _import(cast, folder, "this-month.csv", lines)
    for seller in ("northstar", "harbour", "pier", "summit", "meadow"):
        _bill(cast, seller, last_month)
    for seller in ("northstar", "harbour"):
        run(cast.party(seller), this_month, actor=ACTOR, early=True)
    owners = ("northstar", "harbour", "alice")
    keys = {code: create_key(cast.party(code), "billing program", "reader", actor=ACTOR)[0] for code in owners}
    _subscriptions(cast, last_month)
    changes = {code: _price_changes(cast, code) for code in ("northstar-atlas", "harbour-atlas")}
    return World(cast, last_month, this_month, usage_import, keys, changes)


def _subscriptions(cast: Cast, since: date) -> None:
    """Alice's line, which Harbour buys above. It costs nothing, so that it moves no money that others count."""
    line = product(cast, "northstar-eu", "ns-line", "0")
    sold = product(cast, "harbour", "hv-line", "0", resells=line, name="Line rental")
    subscribed(cast, "alice", sold, str(since), quantity=2)


def _price_changes(cast: Cast, code: str) -> dict[str, Any]:
    """A list by publication, with a rule that no call meets, and one of each change to come."""
    price_list, later = cast.price_list(code), timezone.now() + timedelta(days=400)
    group = create_group(price_list.seller, "near", "Near", actor=ACTOR, destinations=["France*"], prefixes=["4420"])
    set_follows(price_list, Follows.PUBLICATION, actor=ACTOR)
    set_list_rule(price_list, Target(group=group), actor=ACTOR, valid_from=later, markup=Decimal("0.1"))
    set_own_rate(price_list, "999", Decimal("0.5"), actor=ACTOR, effective_from=later)
    rule, _made = set_list_rule(price_list, Target(prefix="999"), actor=ACTOR, markup=Decimal(1), addon=Decimal("0.01"))
    terms, _made = set_list_terms(price_list, actor=ACTOR, valid_from=later, markup=Decimal(2))
    published = publish(price_list, actor=ACTOR, valid_from=later)
    return {"group": group, "list_rule_end": rule, "list_cancel": terms, "publication_cancel": published}


def _import(cast: Cast, folder: Path, name: str, lines: list[str]) -> UsageImport:
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return import_file(path, cast.source(), actor=ACTOR)


def _bill(cast: Cast, seller: str, month: date) -> None:
    for draft in run(cast.party(seller), month, actor=ACTOR).invoices:
        issued = issue(approve(draft, actor=ACTOR), actor=ACTOR)
        send(issued)
