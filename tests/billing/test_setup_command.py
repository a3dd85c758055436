"""`./manage setup FILE.json`: makes what is missing, changes what differs, and a second run changes nothing."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Wallet
from accounts.services.accounts import wallet_of
from billing.demo.logos import logo
from billing.setup import load, load_file
from invoicing.models import PaperTerms
from rating.models import PriceTerms, Rate, RateTable
from rating.services.quote import Question, quote
from tests.cast import data
from tiers.errors import Conflict, Invalid, NotFound, TollgateError
from tiers.models import Brand, Member, Party, Placement

DOCS = Path(__file__).parents[2] / "docs" / "setup.md"


def example() -> dict[str, Any]:
    """The file that the documentation shows."""
    text = DOCS.read_text(encoding="utf-8")
    told: dict[str, Any] = json.loads(text.split("```json")[1].split("```")[0])
    return told


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], db: None) -> Any:
    """Write data to a file and run the command: (exit code, the JSON it printed)."""

    def runner(told: object) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "setup.json"
        path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
        code = 0
        try:
            call_command("setup", str(path), "--json")
        except SystemExit as left:
            code = int(str(left.code))
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, printed

    return runner


def test_the_documented_example_works_and_again_changes_nothing(run: Any) -> None:
    code, first = run(example())
    assert (code, first["changed"], first["unchanged"]) == (0, 0, 0)
    code, again = run(example())
    assert (code, again) == (0, {"created": 0, "changed": 0, "unchanged": first["created"]})
    assert wallet_of(Party.objects.get(code="alice")).account.currency == "EUR"
    assert wallet_of(Party.objects.get(code="harbour")).credit_limit == 5000


def test_a_call_costs_what_the_documentation_says(run: Any) -> None:
    run(example())
    question = Question(Party.objects.get(code="alice"), "+44 20 7946 0000", 90, timezone.now())
    charged = [(tier.amount, tier.found.measure.currency) for tier in quote(question).tiers]
    assert charged == [(Decimal("0.0253"), "EUR"), (Decimal("0.0188"), "USD")]


def test_the_whole_cast_again_changes_nothing(db: None) -> None:
    first, again = load(data()), load(data())
    assert (again.created, again.changed) == (0, 0)
    assert again.unchanged == first.created > 100


def test_what_differs_is_changed_and_nothing_else(run: Any) -> None:
    run(example())
    told = example()
    told["parties"][0]["wallet"]["credit_limit"] = "7500.50"
    told["parties"][1]["name"] = "Alice's Grand Hotel"
    told["rate_tables"][0]["rates"][0]["price"] = "0.0120"
    told["operator"]["brands"][0]["paper"]["due_days"] = 30
    code, counts = run(told)
    assert (code, counts["created"], counts["changed"]) == (0, 0, 4)
    assert wallet_of(Party.objects.get(code="harbour")).credit_limit == Decimal("7500.5")
    assert Party.objects.get(code="alice").name == "Alice's Grand Hotel"
    assert Rate.objects.get(table__code="atlas", prefix="44").price == Decimal("0.012")
    assert PaperTerms.objects.get(brand__code="northstar").due_days == 30


def test_what_the_file_does_not_mention_stays(run: Any) -> None:
    run(example())
    Party.objects.filter(code="alice").update(phone="+49 40 1")
    told = example()
    del told["parties"][1]["email"]
    del told["price_lists"]
    assert run(told)[1]["changed"] == 0
    alice = Party.objects.get(code="alice")
    assert (alice.phone, alice.email) == ("+49 40 1", "bills@alice.example")


def test_a_new_price_with_a_date_follows_the_old_one(run: Any) -> None:
    run(example())
    told = example()
    told["rate_tables"][0]["rates"].append({"prefix": "44", "price": "0.02", "effective_from": "2026-07-01"})
    assert run(told)[1] == {"created": 1, "changed": 0, "unchanged": run(told)[1]["unchanged"] - 1}
    old, new = Rate.objects.filter(table__code="atlas", prefix="44").order_by("effective_from")
    assert old.effective_to == new.effective_from
    assert f"{new.effective_from:%Y-%m-%d %H:%M %Z}" == "2026-07-01 00:00 UTC"


def spoilt(change: Any) -> dict[str, Any]:
    told = deepcopy(example())
    change(told)
    return told


MISTAKES: list[tuple[str, Any]] = [
    ("$.partys", lambda d: d.update(partys=[])),
    ("$.parties[1].walet", lambda d: d["parties"][1].update(walet={})),
    ("$.parties[0].wallet.limit", lambda d: d["parties"][0]["wallet"].update(limit=1)),
    ("$.parties[0].wallet.credit_limit", lambda d: d["parties"][0]["wallet"].update(credit_limit="much")),
    ("$.parties[0].wallet.credit_limit", lambda d: d["parties"][0]["wallet"].update(credit_limit=-1)),
    ("$.parties[0].wallet.billing", lambda d: d["parties"][0]["wallet"].update(billing="later")),
    ("$.parties[1].wallet.currency", lambda d: d["parties"][1].update(wallet={"currency": "USD"})),
    ("$.parties[1].name", lambda d: d["parties"][1].pop("name")),
    ("$.parties[1].code", lambda d: d["parties"][1].update(code="Alice!")),
    ("$.parties[1].seller", lambda d: d["parties"][1].update(seller="nobody")),
    ("$.parties[1].brand", lambda d: d["parties"][1].update(brand="northstar")),
    ("$.parties[1].since", lambda d: d["parties"][1].update(since="yesterday")),
    ("$.parties[1].since", lambda d: d["parties"][1].update(since="2026-01-01T00:00:00")),
    ("$.parties[1].identities[1].value", lambda d: d["parties"][1]["identities"][1].update(value="Room")),
    ("$.operator.brands[0].currency", lambda d: d["operator"]["brands"][0].update(currency="XXL")),
    ("$.operator.brands[0].paper.serie", lambda d: d["operator"]["brands"][0]["paper"].update(serie="A")),
    ("$.operator.brands[0].prices.tax_rate", lambda d: d["operator"]["brands"][0]["prices"].update(tax_rate=100)),
    ("$.operator.members[0].role", lambda d: d["operator"]["members"][0].update(role="king")),
    ("$.rate_tables[0].rates[1].price", lambda d: d["rate_tables"][0]["rates"][1].update(price=-1)),
    ("$.rate_tables[0].rates[1].prices", lambda d: d["rate_tables"][0]["rates"][1].update(prices=1)),
    ("$.rate_tables[0].deck.file", lambda d: d["rate_tables"][0].update(deck={"file": "../../etc/passwd"})),
    ("$.exchange_rates[0].rate", lambda d: d["exchange_rates"][0].update(rate=0)),
    ("$.carriers[0].cost_table", lambda d: d["carriers"][0].update(cost_table="gone")),
    ("$.sources[0].dial_plan", lambda d: d["sources"][0]["dial_plan"].update(home_country="Hamburg")),
    ("$.price_lists[1].base_list", lambda d: d["price_lists"][1].update(base_list="none")),
    ("$.price_lists[1].terms[0].markup", lambda d: d["price_lists"][1]["terms"][0].update(markup="-1")),
    ("$.parties", lambda d: d.update(parties={})),
    ("$.parties[0]", lambda d: d["parties"].__setitem__(0, "harbour")),
]


@pytest.mark.parametrize(("where", "change"), MISTAKES, ids=[f"{n}-{where}" for n, (where, _c) in enumerate(MISTAKES)])
def test_a_mistake_is_refused_where_it_stands_and_nothing_is_written(run: Any, where: str, change: Any) -> None:
    code, printed = run(spoilt(change))
    assert code == 1
    assert printed["error"]["where"] == where, printed
    assert printed["error"]["message"]
    assert not Party.objects.exists()
    assert not RateTable.objects.exists()


@pytest.mark.parametrize("text", ["", "not json", "[1, 2]", "null", '{"operator": {}, "operator": {}}', "[" * 100_000])
def test_what_is_no_set_up_file_is_refused(run: Any, text: str) -> None:
    code, printed = run(text)
    assert code == 1
    assert printed["error"]["code"] in {"not_json", "not_an_object", "key_twice"}


def test_a_missing_file_is_named(db: None, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.json"):
        load_file(tmp_path / "gone.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid):
        load_file(tmp_path / "binary.json")


def test_amounts_in_the_file_are_exact(run: Any) -> None:
    told = json.dumps(example()).replace('"price": "0.0100"', '"price": 0.10000001')
    assert run(told)[0] == 0
    assert Rate.objects.get(prefix="44", table__code="atlas").price == Decimal("0.10000001")


def test_a_file_moves_nobody(run: Any) -> None:
    run(example())
    told = spoilt(lambda d: d["parties"][1].update(seller="northstar", brand="northstar"))
    code, printed = run(told)
    assert (code, printed["error"]["code"]) == (1, "placed_elsewhere")
    assert Placement.objects.get(party__code="alice").seller.code == "harbour"


def test_how_a_wallet_is_funded_stays(db: None) -> None:
    load(data())
    told = data()
    next(party for party in told["parties"] if party["code"] == "carol")["wallet"] = {"funding": "wholesale"}
    with pytest.raises(Conflict) as refused:
        load(told)
    assert refused.value.where is not None
    assert refused.value.where.endswith(".wallet.funding")
    assert Wallet.objects.get(account__owner__code="carol").funding == "distribution"


def test_a_password_is_set_once_and_the_invited_get_a_mail(db: None, django_capture_on_commit_callbacks: Any) -> None:
    told = spoilt(lambda d: d["parties"][1].update(members=[
        {"email": "a@alice.example", "role": "owner", "password": "first secret"}
    ]))  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        load(told)
    assert [letter.to for letter in mail.outbox] == [["maya@northstar.example"]]
    member = Member.objects.get(email="a@alice.example")
    member.set_password("her own")
    member.save()
    load(told)
    member.refresh_from_db()
    assert member.check_password("her own")


def test_logos_and_decks_lie_beside_the_file(db: None, tmp_path: Path) -> None:
    picture = logo("Harbour", "#0f766e")
    (tmp_path / "harbour.png").write_bytes(picture)
    (tmp_path / "boreal.csv").write_text(
        "Destination,Prefix,Rate/Min,Effective,Billing\nFrance,33,0.0090,2026-01-01,60/1\nSpain,34,0.0110,2026-01-01,1/1\n"
    )
    told = example()
    told["parties"][0]["brands"][0]["logo_file"] = "harbour.png"
    told["operator"]["brands"][0]["logo"] = base64.b64encode(picture).decode()
    told["rate_tables"].append({"code": "boreal", "currency": "USD", "deck": {"file": "boreal.csv"}})
    first = load(told, folder=tmp_path)
    assert bytes(Brand.objects.get(code="harbour").logo or b"") == picture
    rate = Rate.objects.get(table__code="boreal", prefix="33")
    assert (rate.first_s, f"{rate.effective_from:%Y-%m-%d}") == (60, "2026-01-01")
    again = load(told, folder=tmp_path)
    assert (again.created, again.changed) == (0, 0)
    assert first.created > again.unchanged - 1


def test_without_an_operator_there_is_nothing_to_stand_on(db: None) -> None:
    with pytest.raises(TollgateError) as refused:
        load({"parties": []})
    assert refused.value.where == "$.operator"
    assert not PriceTerms.objects.exists()
