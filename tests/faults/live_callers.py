"""A switch's calls by HTTP while things break: it asks again with the same call id, and gives up on a refusal."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

CALLERS = 16
PATIENCE_S, TIMEOUT_S = 20.0, 10.0
TO = ("447700900123", "442079460000", "4930123456")
WHO = ("alice", "alice", "bob", "carol", "erin")


@dataclass
class Seen:
    """What a caller knows: was it allowed, and after the end, for how many seconds it was charged."""

    allow: bool = False
    charged: int | None = None


@dataclass
class Answer:
    """One request: from and to by the monotonic clock; status 0 where nobody answered."""

    began: float
    ended: float
    status: int


@dataclass
class Callers:
    port: int
    key: str
    calls: int
    seen: dict[str, Seen] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    done: int = 0
    _local: threading.local = field(default_factory=threading.local)

    def run(self, pool: ThreadPoolExecutor) -> list[Any]:
        return [pool.submit(self._caller, number) for number in range(CALLERS)]

    def _caller(self, number: int) -> None:
        chance = random.Random(number)
        for call in range(number, self.calls, CALLERS):
            self._call(f"storm-{call}", chance)
            self.done += 1  # one of many threads: the count is for progress alone

    def _call(self, call_id: str, chance: random.Random) -> None:
        seen = self.seen[call_id] = Seen()
        asked = {"call_id": call_id, "account": f"ACC-{chance.choice(WHO)}", "to": chance.choice(TO)}
        asked |= {"src_ip": "198.51.100.7", "src_port": "5062", "user_agent": "Storm 1.0"}
        if chance.random() < 0.5:
            asked["requested_s"] = chance.choice(["1", "30", "120"])
        answer = self._insist("authorize", asked, chance, refusals=(402, 403, 404))
        if chance.random() < 0.05:
            answer = self._insist("authorize", asked, chance, refusals=(402, 403, 404)) or answer
        if not answer or not answer.get("allow"):
            return
        seen.allow = True
        how = chance.random()
        if how < 0.1:
            self._tell("failed", {"call_id": call_id}, seen, chance)
            return
        if how < 0.93:
            self._insist("start", {"call_id": call_id}, chance)
        if how < 0.3:
            self._insist("interim", {"call_id": call_id, "duration": chance.randint(0, 4)}, chance)
        if how < 0.92:
            told = {"call_id": call_id, "duration": chance.randint(0, 4)}
            self._tell("end", told, seen, chance)
            if how > 0.8:
                self._tell("end", told, seen, chance)

    def _tell(self, what: str, said: dict[str, Any], seen: Seen, chance: random.Random) -> None:
        answer = self._insist(what, said, chance)
        if answer is not None:
            assert seen.charged in (None, answer["charged_seconds"]), f"{said}: {seen.charged}, then {answer}"
            seen.charged = int(answer["charged_seconds"])

    def _insist(
        self, what: str, said: dict[str, Any], chance: random.Random, refusals: tuple[int, ...] = ()
    ) -> dict[str, Any] | None:
        """The answer; None where it is given up: now and then at once, else when patience is over."""
        until = time.monotonic() + PATIENCE_S
        while True:
            status, body = self._post(what, said)
            if status == 200 or status in refusals:
                return body
            assert status in (0, 502, 503), f"{what} {said}: {status} {body}"
            if time.monotonic() > until or chance.random() < 0.02:
                return None
            time.sleep(0.2)

    def _post(self, what: str, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        began = time.monotonic()
        status, body = 0, b"{}"
        try:
            line = self._line()
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            line.request("POST", f"/api/v1/calls/{what}", json.dumps(said), headers)
            response = line.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException):
            self._local.line = None
        self.answers.append(Answer(began, time.monotonic(), status))
        return status, json.loads(body or b"{}") if status in (200, 402, 403, 404, 503) else {}

    def _line(self) -> http.client.HTTPConnection:
        line: http.client.HTTPConnection | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        return line
