"""The terms that rated calls name: each distinct rate is stored once, for ever, and known by its number.

They are stored before the transaction that writes calls, and committed at once: terms say nothing about anybody's
money, and two workers that meet the same new rates must not wait for each other's chunks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from rating.pricing.lists import Found
from rating.services.binary import text_piece
from rating.services.copying import bytea_array

STORED_AT_ONCE = 5_000
UNKNOWN = 0


class Rates:
    """The rates that calls of one run were priced by, by their index in the engine's sequence, which only grows.

    terms: RateTerms' numbers, once stored. piece: prefix, destination and currency as `binary.pack` wants them.
    currency: indexes into `currencies`. What is asked for must have been learnt.
    """

    def __init__(self, founds: Sequence[Found]) -> None:
        self.founds = founds
        self.terms = np.zeros(0, dtype=np.int64)
        self.currency = np.zeros(0, dtype=np.int16)
        self.currencies: list[str] = []
        self.piece: list[bytes] = []
        self.destination: list[str] = []

    def learn(self, used: NDArray[np.int32]) -> None:
        """Look up what is told by these rates."""
        self._grow(len(self.founds) - len(self.piece))
        for at in used.tolist():
            if not self.piece[at]:
                row, currency = self.founds[at].row, self.founds[at].measure.currency
                if currency not in self.currencies:
                    self.currencies.append(currency)
                self.currency[at] = self.currencies.index(currency)
                self.destination[at] = row.destination
                self.piece[at] = b"".join(map(text_piece, (row.prefix, row.destination, currency)))

    def store(self, used: NDArray[np.int32]) -> None:
        """Have the terms of these rates stored."""
        new = used[self.terms[used] == UNKNOWN].tolist()
        if new:
            stored = store_terms({self.founds[at].digest: self.founds[at] for at in new})
            self.terms[new] = [stored[self.founds[at].digest] for at in new]

    def _grow(self, by: int) -> None:
        if by > 0:
            self.terms = np.concatenate([self.terms, np.full(by, UNKNOWN, dtype=np.int64)])
            self.currency = np.concatenate([self.currency, np.zeros(by, dtype=np.int16)])
            self.piece += [b""] * by
            self.destination += [""] * by


def store_terms(terms: Mapping[bytes, Found]) -> dict[bytes, int]:
    """Insert those that are new, in one order, and read the numbers of all, by digest."""
    known = _known_terms(terms)
    new = sorted(terms.keys() - known)
    for start in range(0, len(new), STORED_AT_ONCE):
        known |= _insert(terms, new[start : start + STORED_AT_ONCE])
    others = terms.keys() - known
    return known | _known_terms(others) if others else known


def _insert(terms: Mapping[bytes, Found], digests: Sequence[bytes]) -> dict[bytes, int]:
    bodies = [{"digest": digest.hex(), "body": terms[digest].terms} for digest in digests]
    for digest in digests:
        vars(terms[digest]).pop("terms", None)  # A cached property, wanted only once and larger than all else.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rating_rateterms (digest, body) SELECT decode(one->>'digest', 'hex'), one->'body'"
            " FROM jsonb_array_elements(%s::jsonb) one ON CONFLICT (digest) DO NOTHING RETURNING digest, id",
            [json.dumps(bodies)],
        )
        return {bytes(digest): pk for digest, pk in cursor.fetchall()}


def _known_terms(digests: Iterable[bytes]) -> dict[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest, id FROM rating_rateterms WHERE digest = ANY(%s::bytea[])", [bytea_array(digests)]
        )
        return {bytes(digest): pk for digest, pk in cursor.fetchall()}
