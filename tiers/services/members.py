"""Members: people who log in for a party. They are invited by mail and choose their own password.

A party that has an owner keeps one: the last active owner can neither be demoted nor deactivated.
"""

from __future__ import annotations

import logging
from functools import partial

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from tiers.errors import Conflict, Invalid
from tiers.models import Member, Party
from tiers.roles import Role
from tiers.services.parties import lock_parties
from tiers.services.writing import check_fields, written_by
from tiers.viewer import Actor

log = logging.getLogger(__name__)


def invite(party: Party, email: str, role: str, *, actor: Actor, name: str = "", language: str = "") -> Member:
    """A member who cannot log in until the link in the mail was followed and a password chosen."""
    member = create_member(party, email, role, actor=actor, name=name, language=language)
    transaction.on_commit(partial(send_invitation, member))
    return member


def create_member(
    party: Party,
    email: str,
    role: str,
    *,
    actor: Actor,
    name: str = "",
    language: str = "",
    password: str | None = None,
) -> Member:
    """A member with this password (None: none that works). No mail. Raises Invalid, Conflict (e-mail taken)."""
    _check_role(role)
    address = email.strip().lower()
    with written_by(actor):
        if Member.objects.filter(email=address).exists():
            raise Conflict("email_taken", _("%s is a member already.") % address, where="email")
        member = Member(email=address, party=party, role=role, name=name, language=language)
        check_fields(member, skip=("password",))
        member.set_password(password)
        member.save(force_insert=True)
    return member


def send_invitation(member: Member) -> bool:
    """Mail the link by which the member chooses a password; again where the first was lost. False: not delivered."""
    key = f"{user_pk_to_url_str(member)}-{default_token_generator.make_token(member)}"
    uid, _dash, token = key.partition("-")
    link = settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    with override(member.language or member.party.language or None):
        subject = _("Your access to %s") % member.party.name
        text = _(
            "You can now log in for %(party)s.\n\nChoose your password here:\n%(link)s\n\nYour login is %(email)s."
        ) % {"party": member.party.name, "link": link, "email": member.email}
    try:
        send_mail(subject, text, get_adapter().get_from_email(), [member.email])
    except OSError:
        log.exception("the invitation of %s could not be mailed", member.pk)
        return False
    return True


def update_member(
    member: Member, *, actor: Actor, role: str | None = None, name: str | None = None, language: str | None = None
) -> Member:
    """Change a member's role, name or language. Raises Conflict where the party would be left without an owner."""
    if role is not None:
        _check_role(role)
    with written_by(actor):
        lock_parties(member.party)
        if role is not None and role != Role.OWNER:
            _keep_an_owner(member)
        given = {"role": role, "name": name, "language": language}
        changes = {field: value for field, value in given.items() if value not in (None, getattr(member, field))}
        for field, value in changes.items():
            setattr(member, field, value)
        if changes:
            check_fields(member, skip=("password",))
            member.save(update_fields=list(changes))
    return member


def set_active(member: Member, active: bool, *, actor: Actor) -> Member:
    """Let a member log in, or no longer: open sessions end at their next request."""
    with written_by(actor):
        lock_parties(member.party)
        if not active:
            _keep_an_owner(member)
        if member.is_active != active:
            member.is_active = active
            member.save(update_fields=["is_active"])
    return member


def _keep_an_owner(member: Member) -> None:
    """Call with the party locked."""
    others = Member.objects.filter(party=member.party_id, role=Role.OWNER, is_active=True).exclude(pk=member.pk)
    stands = Member.objects.filter(pk=member.pk, role=Role.OWNER, is_active=True).exists()
    if stands and not others.exists():
        raise Conflict(
            "last_owner",
            _("%s is the last owner of its party.") % member.email,
            hint=_("Make somebody else an owner first."),
        )


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid("role", _("%s is not a role.") % role, where="role", hint=", ".join(Role.values))
