"""Many hands on the same money at once, in processes of their own."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.db import connection, connections

from accounts import books
from accounts.services import funds
from accounts.services.accounts import counter_account, wallet_of
from accounts.services.funds import Move
from accounts.services.ledger import Draft, post
from accounts.services.transactions import in_transaction
from tests.cast import ACTOR
from tiers.errors import Conflict
from tiers.models import Party

if TYPE_CHECKING:
    from tests.cast import Cast

PROCESSES = 8
EACH = 125
pytestmark = pytest.mark.django_db(transaction=True)


def _one(rng: random.Random, worker: int, number: int) -> str:
    """One allocation down, withdrawal up, or charge: on summit's wallet, carol's that hangs on it, or alice's."""
    if number % 4 == 0:
        return _at_harbour(rng, f"race-{worker}-{number}")
    summit, carol = Party.objects.get(code="summit"), Party.objects.get(code="carol")
    operator = Party.objects.get(code="northstar")
    carols = wallet_of(carol)
    currency = carols.account.currency
    move = Move(Decimal(rng.randint(1, 400)) / 100, currency, f"race-{worker}-{number}", ACTOR)
    what = rng.choice(["down", "up", "whole", "whole-up", "charge", "summit-charge"])
    if what == "down":
        funds.allocate(summit, carol, move)
    elif what == "up":
        funds.withdraw(summit, carol, move)
    elif what == "whole":
        funds.allocate(operator, carol, move)
    elif what == "whole-up":
        funds.withdraw(operator, carol, move)
    else:
        wallet = carols if what == "charge" else wallet_of(summit, currency)
        draft = Draft(wallet.pk, counter_account(wallet, "revenue"), move.amount, currency, "charge", move.key)
        in_transaction(lambda: post([draft], actor=ACTOR))
    return what


def _at_harbour(rng: random.Random, key: str) -> str:
    harbour, alice = Party.objects.get(code="harbour"), Party.objects.get(code="alice")
    move = Move(Decimal(rng.randint(1, 400)) / 100, "EUR", key, ACTOR)
    if rng.random() < 0.5:
        funds.allocate(harbour, alice, move)
        return "alice-down"
    funds.withdraw(harbour, alice, move)
    return "alice-up"


def _worker(worker: int, results: multiprocessing.Queue[tuple[int, int, list[str]]]) -> None:
    connections.close_all()
    rng, done, refused, errors = random.Random(worker), 0, 0, []
    for number in range(EACH):
        try:
            _one(rng, worker, number)
            done += 1
        except Conflict as conflict:
            if conflict.code in {"funds", "withdrawal"}:
                refused += 1
            else:
                errors.append(f"{conflict.code}: {conflict.message}")
        except Exception as error:  # noqa: BLE001  whatever reaches a user is what this test counts
            errors.append(repr(error))
    connections.close_all()
    results.put((done, refused, errors))


def _run(target: Callable[..., None], count: int) -> list[tuple[int, int, list[str]]]:
    connection.close()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=target, args=(number, results)) for number in range(count)]
    for worker in workers:
        worker.start()
    outcome = [results.get(timeout=180) for _worker in workers]
    for worker in workers:
        worker.join(timeout=30)
    return outcome


def test_a_thousand_moves_from_eight_processes_neither_overspend_nor_deadlock(cast: Cast) -> None:
    """Down, up and through the whole chain at once, on summit's, carol's and the operator's side of the money."""
    cast.fund("summit", "100")
    outcome = _run(_worker, PROCESSES)
    assert [errors for _done, _refused, errors in outcome if errors] == []
    assert sum(done + refused for done, refused, _errors in outcome) == PROCESSES * EACH
    assert sum(done for done, _refused, _errors in outcome) > 100
    assert list(books.violations()) == []


def _spender(worker: int, results: multiprocessing.Queue[tuple[int, int, list[str]]]) -> None:
    connections.close_all()
    harbour, alice = Party.objects.get(code="harbour"), Party.objects.get(code="alice")
    done, refused, errors = 0, 0, []
    for number in range(10):
        try:
            move = Move(Decimal(1), "EUR", f"spend-{worker}-{number}", ACTOR, "left the hotel")
            funds.refund(harbour, alice, move)
            done += 1
        except Conflict as conflict:
            refused += conflict.code == "funds"
        except Exception as error:  # noqa: BLE001
            errors.append(repr(error))
    connections.close_all()
    results.put((done, refused, errors))


def test_money_for_exactly_ten_goes_to_exactly_ten(cast: Cast) -> None:
    cast.fund("alice", "10")
    outcome = _run(_spender, PROCESSES)
    assert [errors for *_counts, errors in outcome if errors] == []
    assert sum(done for done, *_rest in outcome) == 10
    assert sum(refused for _done, refused, _errors in outcome) == PROCESSES * 10 - 10
    assert wallet_of(cast.alice).available == 0
    assert list(books.violations()) == []
