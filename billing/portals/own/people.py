"""Who logs in for the viewer's own party, and which programs do. Each portal names these pages in its own namespace."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.people import InviteForm, KeyForm, RoleForm
from billing.portals.views import Act, FormPage, PortalView
from tiers.errors import NotFound
from tiers.models import Member
from tiers.roles import May
from tiers.selectors import people
from tiers.services.keys import create_key, revoke_key
from tiers.services.members import invite, set_active, update_member


class OwnMembers(PortalView):
    """Members and keys of the viewer's party."""

    template_name = "own/members.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(
            members=people.members(self.viewer),
            keys=people.keys(self.viewer),
            may_invite=self.viewer.may(May.MEMBERS),
            ns=self.kind,
        )


class OneMember:
    """Mix-in: a member of the viewer's own party, or 404."""

    viewer: Any
    kwargs: dict[str, Any]
    kind: Any

    @property
    def member(self) -> Member:
        found = getattr(self, "_member", None)
        if found is None:
            found = self._member = people.member_by_id(self.viewer, self.kwargs["member"])
        if found.party_id != self.viewer.party.pk:
            raise NotFound("no_member", _("There is no such member here."))
        return found


class InviteOwn(FormPage):
    form_class = InviteForm
    right = May.MEMBERS
    heading = gettext_lazy("Invite somebody")
    verb = gettext_lazy("Invite")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:members")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        invite(self.viewer.party, data["email"], data["role"], actor=self.viewer.actor, name=data["name"])
        return self.go("members", said=_("An invitation is on its way to %s.") % data["email"])


class EditOwn(OneMember, FormPage):
    form_class = RoleForm
    right = May.MEMBERS
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.member.email

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:members")

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"name": self.member.name, "role": self.member.role}}

    def save(self, form: Any) -> HttpResponse:
        update_member(self.member, actor=self.viewer.actor, **form.cleaned_data)
        return self.go("members", said=_("Saved."))


class SwitchOwn(OneMember, Act):
    """Let a member log in, or no longer."""

    right = May.MEMBERS

    @property
    def verb(self) -> str:  # type: ignore[override]
        return _("Switch off") if self.member.is_active else _("Switch on")

    @property
    def danger(self) -> bool:  # type: ignore[override]
        return self.member.is_active

    def question(self) -> str:
        return f"{self.verb}: {self.member.email}?"

    def consequence(self) -> str:
        if self.member.is_active:
            return _("It can no longer log in; what it did stays written down under its name.")
        return _("It can log in again with its password.")

    def back(self) -> str:
        return reverse(f"{self.kind}:members")

    def act(self) -> HttpResponse:
        set_active(self.member, not self.member.is_active, actor=self.viewer.actor)
        return self.go("members", said=_("%s: done.") % self.member.email)


class NewOwnKey(FormPage):
    """A key is shown once, on the page that answers."""

    form_class = KeyForm
    right = May.MEMBERS
    heading = gettext_lazy("New API key")
    verb = gettext_lazy("Create")
    lead = gettext_lazy("For a program that asks for your calls, balance or invoices at /api/v1/.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:members")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        _key, plain = create_key(
            self.viewer.party, data["name"], data["role"], actor=self.viewer.actor, expires_at=data["expires_at"]
        )
        text = _("The key is %s. Copy it now: it is not shown again.") % plain
        messages.success(self.request, text)
        return self.go("members")


class RevokeOwnKey(Act):
    right = May.MEMBERS
    verb = gettext_lazy("Revoke")
    danger = True

    def question(self) -> str:
        return _("Revoke the key “%s”?") % self.key.name

    def consequence(self) -> str:
        return _("Programs that use it are refused from now on. This cannot be undone.")

    @property
    def key(self) -> Any:
        found = people.key_by_prefix(self.viewer, self.kwargs["prefix"])
        if found.party_id != self.viewer.party.pk:
            raise NotFound("no_key", _("There is no such key here."))
        return found

    def back(self) -> str:
        return reverse(f"{self.kind}:members")

    def act(self) -> HttpResponse:
        revoke_key(self.key, actor=self.viewer.actor)
        return self.go("members", said=_("Revoked."))
