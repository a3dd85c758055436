"""API keys: a program's way to be a party's member of a role. The key is shown once and only its hash is kept."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from tiers.errors import Invalid
from tiers.models import ApiKey, Party
from tiers.roles import Role
from tiers.services.writing import written_by
from tiers.viewer import Actor


def create_key(
    party: Party, name: str, role: str, *, actor: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """(the key's row, the key in plain text, never to be had again). Raises Invalid."""
    if role not in Role.values:
        raise Invalid("role", _("%s is not a role.") % role, where="role", hint=", ".join(Role.values))
    if not 1 <= len(name.strip()) <= 50:
        raise Invalid("name", _("Name the key in 1 to 50 characters."), where="name")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at", _("That moment has passed."), where="expires_at")
    with written_by(actor):
        key = ApiKey(name=name.strip(), party=party, role=role, expiry_date=expires_at)
        plain = ApiKey.objects.assign_key(key)
        key.save(force_insert=True)
    return key, plain


def revoke_key(key: ApiKey, *, actor: Actor) -> ApiKey:
    """The key opens nothing from now on; that cannot be undone."""
    with written_by(actor):
        if not key.revoked:
            key.revoked = True
            key.save(update_fields=["revoked"])
    return key
