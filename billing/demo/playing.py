"""Plays telephone: customers of the story call through switches that ask at the door, over HTTP, as real ones do.

So that somebody can look at live calls without owning a switch. Each switch gets a key of its own, which is revoked
when the play is over; calls that still go on then are ended.
"""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from billing.demo.calls import AddressBook
from billing.demo.customers import CUSTOMERS, Customer
from billing.demo.habits import HABITS
from billing.demo.numbers import SHORTEST_E164
from billing.demo.story import SOURCES
from billing.demo.usage import SWITCH_OF
from rating.live.switches import create_switch_key, revoke_switch_key
from rating.models import Source, SwitchKey
from tiers.errors import Conflict
from tiers.ids import uuid7
from tiers.viewer import Actor

TIMEOUT_S: Final = 10
REPORT_EACH_S: Final = 20
SELDOM_WRONG: Final = 0.08
"""Of all calls: from nobody known, or to no number."""


@dataclass
class Played:
    """How many calls were asked for, allowed, refused and answered."""

    asked: int = 0
    allowed: int = 0
    refused: int = 0
    answered: int = 0


@dataclass(order=True)
class Step:
    """What a call does next, and when (seconds of a monotonic clock)."""

    at: float
    number: int
    what: str = field(compare=False)
    call: dict[str, Any] = field(compare=False)


class Switchboard:
    """All switches of the story; `post(source, event, said)` asks at the door and gives what was answered."""

    def __init__(self, base_url: str, actor: Actor) -> None:
        self._base_url, self._actor = base_url.rstrip("/"), actor
        self._keys: dict[str, tuple[SwitchKey, str]] = {}

    def post(self, source: str, event: str, said: dict[str, Any]) -> dict[str, Any]:
        """Raises Conflict where no Tollgate answers at that address."""
        request = Request(
            f"{self._base_url}/api/v1/calls/{event}",
            json.dumps(said).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self._key(source)}"},
        )
        try:
            with urlopen(request, timeout=TIMEOUT_S) as answer:
                told: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            told = json.load(error)
        except TimeoutError:
            return {"title": f"no answer within {TIMEOUT_S} s"}
        except (URLError, OSError) as error:
            raise Conflict(
                "not_running", f"Nobody answers at {self._base_url}: {error}.", hint="Begin ./run."
            ) from error
        return told

    def _key(self, source: str) -> str:
        if source not in self._keys:
            row = Source.objects.get(code=source)
            self._keys[source] = create_switch_key(row, "demo calls", [], actor=self._actor, interims=True)
        return self._keys[source][1]

    def close(self) -> None:
        for key, _plain in self._keys.values():
            revoke_switch_key(key, actor=self._actor)


def _dialled(number: str) -> str:
    """Short numbers as they are, all others with their country code."""
    return number if len(number) < SHORTEST_E164 else f"+{number}"


class Play:
    """About `at_once` calls at a time, for so many seconds."""

    def __init__(self, board: Switchboard, at_once: int, say: Callable[[str], None], seed: int | None = None) -> None:
        self._board, self._at_once, self._say = board, at_once, say
        self._random = Random(seed)
        self._steps: list[Step] = []
        self._numbers = count()
        self._books: dict[str, AddressBook] = {}
        self.played = Played()

    def run(self, seconds: float) -> Played:
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                if len(self._steps) < self._at_once and self._random.random() < 0.5:
                    self._ask()
                for step in self._due():
                    self._do(step)
                time.sleep(0.2)
        except KeyboardInterrupt:
            self._say("Ending the calls that go on ...")
        finally:
            self._hang_up()
        return self.played

    def _due(self) -> Iterator[Step]:
        while self._steps and self._steps[0].at <= time.monotonic():
            yield heapq.heappop(self._steps)

    def _later(self, wait_s: float, what: str, call: dict[str, Any]) -> None:
        heapq.heappush(self._steps, Step(time.monotonic() + wait_s, next(self._numbers), what, call))

    def _ask(self) -> None:
        random = self._random
        customer = random.choice(CUSTOMERS)
        call = self._call(customer)
        self.played.asked += 1
        answer = self._board.post(call["source"], "authorize", call["said"])
        if not answer.get("allow"):
            self.played.refused += 1
            self._say(f"{customer.name}: refused, {answer.get('reason') or answer.get('title')}")
            return
        self.played.allowed += 1
        call["most_s"] = answer["max_seconds"]
        picks_up = random.random() < HABITS[customer.habit].answered
        self._later(random.uniform(2, 8), "start" if picks_up else "failed", call)

    def _call(self, customer: Customer) -> dict[str, Any]:
        random, habit = self._random, HABITS[customer.habit]
        source = SWITCH_OF[customer.brand]
        plan = next(one["dial_plan"] for one in SOURCES if one["code"] == source)
        book = self._books.setdefault(customer.code, AddressBook(customer, plan["home_country"]))
        callee, _abroad = book.callee(random, habit)
        wrong = random.random()
        said = {
            "call_id": f"{uuid7().hex[-16:]}@{source}",
            "switch": source,
            "account": "nobody" if wrong < SELDOM_WRONG / 2 else customer.account,
            "caller": "" if wrong < SELDOM_WRONG / 2 else random.choice(book.callers),
            "to": "999999999999" if SELDOM_WRONG / 2 <= wrong < SELDOM_WRONG else _dialled(callee),
            "src_ip": "" if wrong < SELDOM_WRONG / 2 else book.src_ip,
            "src_port": book.src_port,
            "user_agent": random.choice(book.agents),
        }
        talks_s = min(600.0, random.lognormvariate(0, 0.95) * habit.median_s)
        return {"source": source, "said": said, "name": customer.name, "talks_s": talks_s}

    def _do(self, step: Step) -> None:
        call, now = step.call, time.monotonic()
        if step.what == "start":
            self.played.answered += 1
            call["answered"] = now
            self._tell(call, "start")
            self._next(call)
        elif step.what == "interim":
            told = self._tell(call, "interim", duration=int(now - call["answered"]))
            call["most_s"] = told.get("max_seconds", call["most_s"])
            self._next(call)
        else:
            self._tell(call, step.what, duration=int(now - call["answered"]) if "answered" in call else 0)

    def _next(self, call: dict[str, Any]) -> None:
        """A report in a while, or the end: of the talk, or of what is allowed."""
        left_s = min(call["talks_s"], call["most_s"]) - (time.monotonic() - call["answered"])
        self._later(*((REPORT_EACH_S, "interim", call) if left_s > REPORT_EACH_S else (max(0, left_s), "end", call)))

    def _tell(self, call: dict[str, Any], event: str, **more: Any) -> dict[str, Any]:
        said = {"call_id": call["said"]["call_id"], "switch": call["said"]["switch"], **more}
        return self._board.post(call["source"], event, said)

    def _hang_up(self) -> None:
        for step in self._steps:
            answered = "answered" in step.call
            lasted = int(time.monotonic() - step.call["answered"]) if answered else 0
            self._tell(step.call, "end" if answered else "failed", duration=lasted)
        self._steps.clear()
