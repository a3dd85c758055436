"""A small tree for the pages: Northstar sells to Harbour, Harbour to Pier and to Alice; Outsider stands beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client

from tests.billing.world import World, build_world
from tests.cast import Cast
from tiers.models import Kind, Member, Party
from tiers.roles import Role
from tiers.services.brands import create_brand
from tiers.services.members import create_member
from tiers.services.parties import create_operator, create_party
from tiers.viewer import SYSTEM

LogIn = Callable[[Member], Client]


@dataclass(frozen=True)
class People:
    """Who is in the tree, and the members that log in."""

    northstar: Party
    harbour: Party
    pier: Party
    alice: Party
    outsider: Party
    olivia: Member
    reader: Member
    hans: Member
    anna: Member


@pytest.fixture
def people(db: None) -> People:
    northstar = create_operator("northstar", "Northstar Telecom", actor=SYSTEM)
    north = create_brand(northstar, "northstar", "Northstar", "USD", actor=SYSTEM, accent="#ffd400")
    harbour = create_party(northstar, Kind.DEALER, "harbour", "Harbour Voice", brand=north, actor=SYSTEM)
    outsider = create_party(northstar, Kind.DEALER, "outsider", "Outsider Telecom", brand=north, actor=SYSTEM)
    harbour_brand = create_brand(
        harbour, "harbour", "Harbour Voice", "EUR", actor=SYSTEM, accent="#0a7d5a", time_zone="Europe/Berlin"
    )
    pier = create_party(harbour, Kind.DEALER, "pier", "Pier Communications", brand=harbour_brand, actor=SYSTEM)
    alice = create_party(harbour, Kind.CUSTOMER, "alice-hotel", "Alice Hotel", brand=harbour_brand, actor=SYSTEM)
    return People(
        northstar,
        harbour,
        pier,
        alice,
        outsider,
        olivia=create_member(northstar, "olivia@northstar.example", Role.OWNER, actor=SYSTEM, password="owner-pass-1"),
        reader=create_member(northstar, "reader@northstar.example", Role.READER, actor=SYSTEM),
        hans=create_member(harbour, "hans@harbour.example", Role.OWNER, actor=SYSTEM),
        anna=create_member(alice, "anna@alice.example", Role.OWNER, actor=SYSTEM),
    )


@pytest.fixture
def log_in() -> LogIn:
    """A browser in which this member is logged in."""

    def logged_in(member: Member) -> Client:
        client = Client()
        client.force_login(member)
        return client

    return logged_in


@pytest.fixture
def world(cast: Cast, tmp_path: Path) -> World:
    """The cast after two months of business."""
    return build_world(cast, tmp_path)
