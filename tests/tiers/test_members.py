"""Members are invited, change roles and leave; a party with an owner keeps one. Keys are shown once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from tests.cast import ACTOR, PASSWORD, Cast
from tiers.errors import Conflict, Invalid
from tiers.models import ApiKey, Member
from tiers.roles import Role
from tiers.services.keys import create_key, revoke_key
from tiers.services.members import create_member, invite, set_active, update_member

NEW_PASSWORD = "a long enough secret 7"


@pytest.mark.django_db(transaction=True)
def test_the_invited_chooses_a_password_and_logs_in(cast: Cast, client: Client) -> None:
    member = invite(cast.harbour, "Lena@Harbour.Example", Role.FINANCE, actor=ACTOR, name="Lena")
    assert not member.has_usable_password()
    (letter,) = mail.outbox
    assert letter.to == ["lena@harbour.example"]
    link = re.search(r"http://[^/]+(/\S+)", str(letter.body))
    assert link
    form = client.get(link[1], follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert Client().login(email="lena@harbour.example", password=NEW_PASSWORD)


def test_an_address_is_one_member_whatever_its_case(cast: Cast) -> None:
    with pytest.raises(Conflict, match="member already"):
        create_member(cast.outsider, "ALICE@cast.example", Role.OWNER, actor=ACTOR)
    with pytest.raises(Invalid) as refused:
        create_member(cast.outsider, "no address", Role.OWNER, actor=ACTOR)
    assert refused.value.where == "email"
    with pytest.raises(Invalid):
        create_member(cast.outsider, "x@cast.example", "king", actor=ACTOR)


def test_the_last_owner_stays(cast: Cast) -> None:
    owner = cast.member("harbour")
    with pytest.raises(Conflict, match="last owner"):
        set_active(owner, False, actor=ACTOR)
    with pytest.raises(Conflict, match="last owner"):
        update_member(owner, actor=ACTOR, role=Role.READER)
    update_member(cast.member("finance.harbour"), actor=ACTOR, role=Role.OWNER)
    set_active(owner, False, actor=ACTOR)
    assert not Client().login(email=owner.email, password=PASSWORD)
    with pytest.raises(Conflict, match="last owner"):
        update_member(cast.member("finance.harbour"), actor=ACTOR, role=Role.SUPPORT)


def test_a_deactivated_member_is_out_at_the_next_click(cast: Cast) -> None:
    browser = cast.client("reader.harbour")
    set_active(cast.member("reader.harbour"), False, actor=ACTOR)
    assert browser.get("/auth/password/change/").status_code == 302


def test_a_key_opens_until_it_is_revoked(cast: Cast) -> None:
    key, plain = create_key(cast.harbour, "billing robot", Role.FINANCE, actor=ACTOR)
    assert plain not in str(ApiKey.objects.values().get(pk=key.pk))
    assert ApiKey.objects.get_from_key(plain) == key
    revoke_key(key, actor=ACTOR)
    with pytest.raises(ApiKey.DoesNotExist):
        ApiKey.objects.get_from_key(plain)


def test_a_key_needs_a_name_a_role_and_a_future(cast: Cast) -> None:
    with pytest.raises(Invalid):
        create_key(cast.harbour, " ", Role.READER, actor=ACTOR)
    with pytest.raises(Invalid):
        create_key(cast.harbour, "robot", "robot", actor=ACTOR)
    with pytest.raises(Invalid):
        create_key(cast.harbour, "robot", Role.READER, actor=ACTOR, expires_at=timezone.now() - timedelta(days=1))
    assert not ApiKey.objects.exists()
    assert Member.objects.filter(party=cast.harbour).count() == 4
