"""How different kinds of customers call: at which hours, on which days, whom, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """`hours`: weight of each hour of the day; `weekend`: a Saturday's share of a working day; the others are shares
    of all calls (the rest goes to fixed numbers at home). `median_s`: of answered calls."""

    hours: tuple[int, ...]
    weekend: float
    abroad: float
    mobile: float
    toll_free: float
    answered: float
    median_s: int
    agents: tuple[str, ...]


DESK = ("Yealink SIP-T46U 108.86.0.90", "PolyEdge-E450-UA/8.2.1", "snomD785/10.1.175.16")
SOFT = ("Zoiper rv2.10.20", "Linphone-Desktop/5.2.4", "MicroSIP/3.21.3")
TRUNK = ("Asterisk PBX 20.9.1", "FPBX-16.0.40", "3CXPhoneSystem 20.0")

#        0  1  2  3  4  5  6   7   8   9  10  11  12  13  14  15  16  17  18  19  20  21  22  23
HABITS = {
    "hotel": Habit(
        (5, 3, 2, 1, 1, 2, 6, 14, 22, 22, 20, 18, 17, 16, 16, 17, 20, 24, 27, 28, 27, 22, 15, 9),
        0.95, 0.46, 0.14, 0.03, 0.74, 95, DESK,
    ),
    "office": Habit(
        (0, 0, 0, 0, 0, 0, 1, 6, 24, 38, 40, 37, 24, 30, 38, 37, 32, 20, 7, 3, 1, 1, 0, 0),
        0.06, 0.24, 0.26, 0.04, 0.77, 80, TRUNK,
    ),
    "campus": Habit(
        (3, 2, 1, 1, 0, 1, 2, 8, 20, 28, 30, 28, 25, 26, 28, 26, 24, 22, 20, 22, 24, 20, 12, 6),
        0.42, 0.33, 0.28, 0.02, 0.72, 130, SOFT,
    ),
    "hosting": Habit(
        (10, 8, 7, 7, 8, 9, 12, 18, 26, 30, 31, 30, 28, 29, 30, 30, 28, 25, 21, 18, 16, 15, 13, 11),
        0.62, 0.31, 0.19, 0.05, 0.78, 170, TRUNK,
    ),
    "shop": Habit(
        (0, 0, 0, 0, 0, 0, 0, 2, 10, 26, 32, 34, 30, 28, 30, 32, 34, 30, 20, 8, 2, 0, 0, 0),
        0.70, 0.12, 0.36, 0.04, 0.73, 60, DESK,
    ),
}  # fmt: skip
