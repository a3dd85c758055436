"""Set-up of what it costs and how it is billed: rates, carriers, sources, lists, terms of brands, identities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from billing.setup.decks import bring_deck
from billing.setup.reading import Entry, decimal, flag, listed, mapping, moment, since, text, whole
from billing.setup.tally import Tally
from billing.setup.who import differs, find
from invoicing.services.paper_terms import set_paper_terms
from rating.models import Carrier, CarrierChoice, DestinationGroup, PriceList, RateTable, Source, SourceIdentity
from rating.services import carriers, list_rules, lists, rates, sources
from rating.services.dial_plans import check_plan
from rating.services.exchange import set_exchange_rate
from tiers.errors import Invalid, NotFound
from tiers.models import Brand, Party
from tiers.viewer import Actor

PRICING = {"decimals": whole, "rounding": text, "time_zone": text, "band_rule": text, "holidays": listed}
RATE = {
    "destination": text,
    "connect_fee": decimal,
    "first_s": whole,
    "step_s": whole,
    "grace_s": whole,
    "free_s": whole,
    "min_charge": decimal,
    "steps": listed,
    "bands": listed,
    "blocked": flag,
    "effective_to": moment,
}
TERMS = {
    "markup": decimal,
    "addon": decimal,
    "connect_fee": decimal,
    "first_s": whole,
    "step_s": whole,
    "min_charge": decimal,
}
PAPER = {
    "series": text,
    "credit_series": text,
    "due_days": whole,
    "approval_required": flag,
    "paper": text,
    "calls_group": text,
    "attach_docx": flag,
    "bank_name": text,
    "bank_account": text,
    "bank_code": text,
    "payment_text": text,
    "footer": text,
    "copy_to": text,
}


class Prices:
    """Loads the sections that hang on parties and brands; `folder` is where deck files lie."""

    def __init__(self, tally: Tally, actor: Actor, folder: Path | None, operator: Party) -> None:
        self.tally = tally
        self.actor = actor
        self.folder = folder
        self.operator = operator

    def exchange_rate(self, entry: Entry) -> None:
        begin = since(entry, "valid_from")
        base, quote, rate = entry.text("base"), entry.text("quote"), entry.read("rate", decimal)
        _row, changed = set_exchange_rate(base, quote, rate, actor=self.actor, valid_from=begin)
        self.tally.count(created=changed)

    def rate_table(self, entry: Entry) -> None:
        code, currency = entry.text("code"), entry.text("currency")
        values = {"name": entry.get("name", text, code), **entry.pick(**PRICING)}
        owner = find(Party, entry, "owner") if entry.has("owner") else self.operator
        table = self._settle(
            RateTable,
            code,
            values,
            create=lambda: rates.create_table(owner, code, currency=currency, actor=self.actor, **values),
            update=lambda row: rates.update_table(row, actor=self.actor, **values),
        )
        self._rates(table, entry)
        with entry.entry("deck") as deck:
            if deck is not None:
                bring_deck(table, self.folder, deck, self.tally, self.actor)

    def carrier(self, entry: Entry) -> None:
        code = entry.text("code")
        values = {
            "name": entry.text("name"),
            **entry.pick(description=text, offered=flag, active=flag, closed_reverts=flag),
        }
        if entry.has("cost_table"):
            values["cost_table"] = find(RateTable, entry, "cost_table")
        self._settle(
            Carrier,
            code,
            values,
            create=lambda: carriers.create_carrier(self.operator, code, actor=self.actor, **values),
            update=lambda row: carriers.update_carrier(row, actor=self.actor, **values),
        )

    def source(self, entry: Entry) -> None:
        code = entry.text("code")
        values = {
            "name": entry.text("name"),
            **entry.pick(format=text, time_zone=text, dial_plan=mapping, mapping=mapping, active=flag),
        }
        if entry.has("carrier"):
            values["carrier"] = find(Carrier, entry, "carrier")
        if entry.has("customer"):
            values["customer"] = find(Party, entry, "customer")
        owner = find(Party, entry, "owner") if entry.has("owner") else self.operator
        self._settle(
            Source,
            code,
            values,
            create=lambda: sources.create_source(owner, code, actor=self.actor, **values),
            update=lambda row: sources.update_source(row, actor=self.actor, **values),
        )

    def brand_terms(self, entry: Entry) -> None:
        """The `prices` and `paper` of a brand that `Who` has made."""
        brand = find(Brand, entry, "code")
        with entry.entry("prices") as prices:
            if prices is not None:
                values = prices.pick(
                    prices_include_tax=flag, tax_name=text, tax_rate=decimal, below_cost=text, dial_plan=mapping
                )
                check_plan(values.get("dial_plan", {}))
                if prices.has("default_carrier"):
                    values["default_carrier"] = find(Carrier, prices, "default_carrier")
                made = not hasattr(brand, "price_terms")
                _row, changed = lists.set_price_terms(brand, actor=self.actor, **values)
                self.tally.count(created=made, changed=changed)
        with entry.entry("paper") as paper:
            if paper is not None:
                made = not hasattr(brand, "paper_terms")
                _paper, changed = set_paper_terms(brand, actor=self.actor, **paper.pick(**PAPER))
                self.tally.count(created=made, changed=changed)

    def price_list(self, entry: Entry) -> None:
        code, brand = entry.text("code"), find(Brand, entry, "brand")
        values = entry.pick(name=text, active=flag, follows=text, **PRICING)
        links = (("buyer", Party), ("carrier", Carrier), ("base_table", RateTable), ("base_list", PriceList))
        values |= {key: find(model, entry, key) for key, model in links if entry.has(key)}
        price_list = self._settle(
            PriceList,
            code,
            values,
            create=lambda: lists.create_list(brand.owner, code, brand, actor=self.actor, **values),
            update=lambda row: lists.update_list(row, actor=self.actor, **values),
        )
        entry.each("terms", partial(self._terms, price_list))
        entry.each("rules", partial(self._rule, price_list))
        if entry.has("rates"):
            self._rates(lists.own_table(price_list, actor=self.actor), entry)

    def _terms(self, price_list: PriceList, entry: Entry) -> None:
        begin = since(entry, "valid_from")
        made = not price_list.terms.filter(valid_from=begin).exists()
        _row, changed = lists.set_list_terms(price_list, actor=self.actor, valid_from=begin, **entry.pick(**TERMS))
        self.tally.count(created=made, changed=changed)

    def destination_group(self, entry: Entry) -> None:
        code = entry.text("code")
        seller = find(Party, entry, "seller") if entry.has("seller") else self.operator
        name, begin = entry.get("name", text, code), since(entry, "valid_from")
        members: dict[str, list[Any]] = {key: entry.get(key, listed, []) for key in ("destinations", "prefixes")}
        if any(not isinstance(one, str) for values in members.values() for one in values):
            raise Invalid("not_text", _("There must be a list of texts here."), where="destinations")
        group = DestinationGroup.objects.filter(seller=seller, code=code).first()
        if group is None:
            list_rules.create_group(seller, code, name, actor=self.actor, valid_from=begin, **members)
            self.tally.count(created=True)
        else:
            renamed = list_rules.rename_group(group, name, actor=self.actor)
            changed = list_rules.set_group(group, actor=self.actor, valid_from=begin, **members)
            self.tally.count(changed=renamed or changed)

    def _rule(self, price_list: PriceList, entry: Entry) -> None:
        """`group` names a group of the list's seller."""
        begin, group = since(entry, "valid_from"), None
        if entry.has("group"):
            code = entry.text("group")
            group = DestinationGroup.objects.filter(seller=price_list.seller, code=code).first()
            if group is None:
                raise NotFound("not_found", _("There is no group %s.") % code, where="group")
        target = list_rules.Target(entry.get("service_class", text, None), group, entry.get("prefix", text, None))
        terms = entry.pick(**TERMS)
        _row, changed = list_rules.set_list_rule(price_list, target, actor=self.actor, valid_from=begin, **terms)
        self.tally.count(changed=changed)

    def belongings(self, entry: Entry) -> None:
        """A party's identities and carrier; the rest of its keys are `Who`'s."""
        party = find(Party, entry, "code")
        entry.each("identities", partial(self._identity, party))
        if entry.has("carrier"):
            chosen, begin = find(Carrier, entry, "carrier"), since(entry, "carrier_from")
            made = not CarrierChoice.objects.filter(party=party).exists()
            if made:
                carriers.choose_carrier(party, chosen, actor=self.actor, at=begin)
            self.tally.count(created=made)

    def _identity(self, party: Party, entry: Entry) -> None:
        kind, value = entry.text("kind"), entry.text("value")
        normal = sources.identity_value(kind, value)
        made = not SourceIdentity.objects.filter(kind=kind, value=normal).exists()
        sources.add_identity(party, kind, value, actor=self.actor)
        self.tally.count(created=made)

    def _rates(self, table: RateTable, entry: Entry) -> None:
        found = entry.each("rates", _rate)
        if found:
            tally = rates.set_rates(table, found, actor=self.actor)
            self.tally.created += tally.added
            self.tally.changed += tally.changed
            self.tally.unchanged += tally.unchanged

    def _settle(
        self,
        model: Any,
        code: str,
        values: dict[str, Any],
        *,
        create: Callable[[], Any],
        update: Callable[[Any], Any],
    ) -> Any:
        """The row with this code, made or brought to the file's values, and counted."""
        row = model.objects.filter(code=code).first()
        if row is None:
            self.tally.count(created=True)
            return create()
        changed = differs(row, values)
        if changed:
            update(row)
        self.tally.count(changed=changed)
        return row


def _rate(entry: Entry) -> rates.RateEntry:
    return rates.RateEntry(
        prefix=entry.text("prefix"),
        price=entry.read("price", decimal),
        effective_from=since(entry, "effective_from"),
        **entry.pick(**RATE),
    )
