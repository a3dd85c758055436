"""Logins and API keys. Each belongs to one party and has a role there; nobody signs up, members are invited."""

from __future__ import annotations

from typing import Any, ClassVar

import pghistory
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from tiers.ids import uuid7
from tiers.models.party import Party
from tiers.roles import Role
from tiers.scope import VisibleManager


class MemberManager(BaseUserManager["Member"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Member:
        member = self.model(email=self.normalize_email(email).lower(), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email__iexact=username or "")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["password", "last_login"],
)
class Member(AbstractBaseUser):
    """A person who logs in, for one party."""

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="members")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.READER)
    language = models.CharField(_("language"), max_length=10, blank=True)
    is_active = models.BooleanField(_("may log in"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberManager()
    visible: ClassVar[VisibleManager[Any]] = VisibleManager()

    class Meta:
        verbose_name = _("member")
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role")]

    def __str__(self) -> str:
        return self.email


class ApiKey(AbstractAPIKey):
    """A program's key, bound to a party. Only a hash is stored; the key is shown once."""

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="api_keys")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.READER)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[BaseAPIKeyManager] = BaseAPIKeyManager()  # type: ignore[assignment]
    visible: ClassVar[VisibleManager[Any]] = VisibleManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("API key")  # type: ignore[assignment]
