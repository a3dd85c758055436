"""What every write to parties and settings has in common: one transaction, a name in the trail, checked fields.

Models carry the rules of a single field; a service calls `check_fields` before it saves, so that a portal, the API
and a set-up file are refused in the same words and at the same field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from tiers.errors import Conflict, Invalid
from tiers.viewer import Actor


@contextmanager
def written_by(actor: Actor) -> Iterator[None]:
    """All or nothing, and the trail names `actor`."""
    with pghistory.context(actor=actor.label, member=str(actor.member_id or "")), transaction.atomic():
        yield


def check_fields(instance: models.Model, *, skip: tuple[str, ...] = ()) -> None:
    """Raise Invalid at the first field whose value the model does not take."""
    try:
        instance.clean_fields(exclude=[*skip, *(field.name for field in instance._meta.fields if field.is_relation)])
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise Invalid("invalid_field", f"{field}: {problems[0]}", where=field) from error


def check_code_free(model: type[models.Model], code: str) -> None:
    """Raise Conflict where the installation has this code already."""
    if model._default_manager.filter(code=code).exists():
        raise Conflict(
            "code_taken",
            _("The code %(code)s is in use.") % {"code": code},
            where="code",
            hint=_("Codes are unique in the whole installation; choose another."),
        )


def apply_changes(instance: models.Model, changes: Mapping[str, Any], allowed: frozenset[str]) -> list[str]:
    """Set the fields that differ and return their names. Raises Invalid for a field that nobody may change so."""
    for name in changes:
        if name not in allowed:
            raise Invalid("unknown_field", _("%s cannot be changed here.") % name, where=name)
    changed = [name for name, value in changes.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, changes[name])
    return changed
