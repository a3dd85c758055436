"""Settings: brands with their terms, members, API keys, the audit trail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.people import BrandForm, InviteForm, KeyForm, RoleForm
from billing.portals.operator.base import OperatorAct, OperatorForm, OperatorView
from billing.portals.own.dial_plans import BrandPlan
from billing.portals.tabs import Tab, tabs
from invoicing.selectors.terms import paper_terms_of
from invoicing.services.paper_terms import set_paper_terms
from rating.selectors.terms import price_terms_of
from rating.services.lists import set_price_terms
from tiers.errors import Invalid
from tiers.models import ApiKey, Brand, Member
from tiers.roles import May
from tiers.selectors import people
from tiers.selectors.trail import trail
from tiers.services.brands import LARGEST_LOGO_BYTES, create_brand, update_brand
from tiers.services.keys import create_key, revoke_key
from tiers.services.members import invite, set_active, update_member


class SettingsView(OperatorView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Brands"), reverse("operator:settings")),
            (gettext_lazy("Members"), reverse("operator:members")),
            (gettext_lazy("API keys"), reverse("operator:keys")),
            (gettext_lazy("Audit trail"), reverse("operator:trail")),
        )


class Brands(SettingsView):
    template_name = "operator/brands.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=self.tabs(), brands=people.brands(self.viewer), own=self.viewer.party)


class BrandPage(OperatorForm):
    """A new brand, or (with a code) one that stands: look, terms of price, terms on paper, saved together."""

    form_class = BrandForm
    right = May.SETTINGS
    verb = gettext_lazy("Save")

    @property
    def brand(self) -> Brand | None:
        code = self.kwargs.get("code")
        if not code:
            return None
        found: Brand | None = people.own_brands(self.viewer).filter(code=code).first()
        return found or people.brand_by_code(self.viewer, "")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.brand.name if self.brand else _("New brand")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:settings")

    def form(self, *data: Any) -> forms.Form:
        form = super().form(*data)
        if self.brand:
            form.fields["code"].disabled = True
        return form

    def form_arguments(self) -> dict[str, Any]:
        brand = self.brand
        if brand is None:
            return {}
        initial: dict[str, Any] = {"name": brand.name, "code": brand.code, "currency": brand.currency}
        initial |= {name: getattr(brand, name) for name in BrandForm.LOOK}
        for terms, names in (
            (price_terms_of(self.viewer, brand), BrandForm.PRICE),
            (paper_terms_of(self.viewer, brand), BrandForm.PAPER),
        ):
            if terms is not None:
                initial |= {name: getattr(terms, name) for name in names}
        return {"initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data, actor = form.cleaned_data, self.viewer.actor
        look = form.picked(BrandForm.LOOK) | self._logo(data["logo"])
        currency = data["currency"].upper()
        with transaction.atomic():
            if self.brand:
                brand = update_brand(self.brand, actor=actor, name=data["name"], currency=currency, **look)
            else:
                brand = create_brand(self.viewer.party, data["code"], data["name"], currency, actor=actor, **look)
            set_price_terms(brand, actor=actor, **form.picked(BrandForm.PRICE))
            set_paper_terms(brand, actor=actor, **form.picked(BrandForm.PAPER))
        return self.go("settings", said=_("%s is saved.") % brand.name)

    @staticmethod
    def _logo(file: Any) -> dict[str, bytes]:
        """A logo replaces the one that stands; none leaves it."""
        if not file:
            return {}
        if file.size > LARGEST_LOGO_BYTES:
            raise Invalid("logo", _("A logo is a PNG of at most 300 kB."), where="logo")
        return {"logo": file.read()}


class DialPlan(OperatorView, BrandPlan):
    """The dial plan of one of the operator's brands."""

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:brand", args=[self.kwargs["code"]])

    @property
    def try_url(self) -> str:  # type: ignore[override]
        return reverse("operator:numbers")

    def done(self) -> HttpResponse:
        return self.go("settings", said=_("The dial plan is saved."))


class Members(SettingsView):
    template_name = "operator/members.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=self.tabs(), members=people.members(self.viewer), may=self.viewer.may(May.MEMBERS))


class Invite(OperatorForm):
    form_class = InviteForm
    right = May.MEMBERS
    heading = gettext_lazy("Invite a member")
    verb = gettext_lazy("Invite")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:members")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        invite(self.viewer.party, data["email"], data["role"], actor=self.viewer.actor, name=data["name"])
        return self.go("members", said=_("An invitation is on its way to %s.") % data["email"])


class MemberPage(OperatorForm):
    """Role and name of somebody of the viewer's party or below."""

    form_class = RoleForm
    template_name = "operator/member.html"
    right = May.MEMBERS
    verb = gettext_lazy("Save")

    @property
    def member(self) -> Member:
        return people.member_by_id(self.viewer, self.kwargs["member"])

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.member.name or self.member.email

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:party", args=[self.member.party.code])

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"name": self.member.name, "role": self.member.role}}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        return {"member": self.member}

    def save(self, form: Any) -> HttpResponse:
        member = self.member
        update_member(member, actor=self.viewer.actor, **form.cleaned_data)
        return self.go("party", member.party.code, said=_("Saved."))


class MemberSwitch(OperatorAct):
    """Let somebody log in, or no longer."""

    right = May.MEMBERS

    @property
    def member(self) -> Member:
        return people.member_by_id(self.viewer, self.kwargs["member"])

    @property
    def verb(self) -> str:  # type: ignore[override]
        return _("Switch off") if self.member.is_active else _("Switch on")

    @property
    def danger(self) -> bool:  # type: ignore[override]
        return self.member.is_active

    def question(self) -> str:
        return _("%(verb)s the login of %(email)s?") % {"verb": self.verb, "email": self.member.email}

    def consequence(self) -> str:
        if self.member.is_active:
            return _("Open sessions end at their next click. What was done stays under this name.")
        return _("The old password works again.")

    def back(self) -> str:
        return reverse("operator:member", args=[self.kwargs["member"]])

    def act(self) -> HttpResponse:
        set_active(self.member, not self.member.is_active, actor=self.viewer.actor)
        return self.go("member", self.kwargs["member"], said=_("Done."))


class Keys(SettingsView):
    template_name = "operator/keys.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=self.tabs(), keys=people.keys(self.viewer), may=self.viewer.may(May.SETTINGS))


class NewKey(OperatorForm):
    """The key is shown once, on the page that answers the form; it is nowhere to be read again."""

    form_class = KeyForm
    right = May.SETTINGS
    heading = gettext_lazy("New API key")
    verb = gettext_lazy("Create")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:keys")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        key, plain = create_key(
            self.viewer.party, data["name"], data["role"], actor=self.viewer.actor, expires_at=data["expires_at"]
        )
        response = self.page("operator/key_once.html", key=key, plain=plain)
        response["Cache-Control"] = "no-store"
        return response


class RevokeKey(OperatorAct):
    right = May.SETTINGS
    verb = gettext_lazy("Revoke")
    danger = True

    @property
    def key(self) -> ApiKey:
        return people.key_by_prefix(self.viewer, self.kwargs["prefix"])

    def question(self) -> str:
        return _("Revoke the key “%s”?") % self.key.name

    def consequence(self) -> str:
        return _("Programs that use it are refused from now on. This cannot be undone.")

    def back(self) -> str:
        return reverse("operator:keys")

    def act(self) -> HttpResponse:
        revoke_key(self.key, actor=self.viewer.actor)
        return self.go("keys", said=_("The key is revoked."))


class Trail(SettingsView):
    """Who changed what in settings and parties; money has its own trail, the ledger."""

    template_name = "operator/trail.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        before = request.GET.get("after", "")
        entries, following = trail(self.viewer, before=before)
        return self.page(tabs=self.tabs(), entries=entries, following=following)
