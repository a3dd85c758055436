"""Account: how the customer is reached, when it is warned, who logs in for it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.services.alerts import set_warning
from billing.portals.customer.base import CustomerForm, CustomerView
from billing.portals.forms.people import DetailsForm
from billing.portals.own import people as own
from tiers.errors import NotFound
from tiers.roles import May
from tiers.services.parties import update_party


class Account(CustomerView):
    template_name = "customer/account.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(
            party=self.viewer.party,
            wallet=self.wallet,
            identities=self.viewer.party.identities.order_by("kind", "value"),
            may_edit=self.viewer.may(May.PARTIES),
            may_warn=self.viewer.may(May.MONEY),
        )


class EditDetails(CustomerForm):
    form_class = DetailsForm
    right = May.PARTIES
    heading = gettext_lazy("How we reach you")
    verb = gettext_lazy("Save")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("customer:account")

    def form_arguments(self) -> dict[str, Any]:
        names = ("name", *DetailsForm.DETAILS)
        return {"initial": {name: getattr(self.viewer.party, name) for name in names}}

    def save(self, form: Any) -> HttpResponse:
        update_party(self.viewer.party, actor=self.viewer.actor, name=form.cleaned_data["name"], **form.details())
        return self.go("account", said=_("Saved."))


class WarningForm(forms.Form):
    warn_below = forms.DecimalField(
        label=gettext_lazy("Warn below"),
        required=False,
        max_digits=20,
        decimal_places=6,
        help_text=gettext_lazy(
            "A mail goes out once when less than this is left. Empty: as your seller says, or never."
        ),
    )


class EditWarning(CustomerForm):
    form_class = WarningForm
    right = May.MONEY
    heading = gettext_lazy("Warning balance")
    verb = gettext_lazy("Save")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("customer:account")

    def form_arguments(self) -> dict[str, Any]:
        if self.wallet is None:
            raise NotFound("no_wallet", _("There is no wallet here."))
        below = self.wallet.warn_below
        return {"initial": {"warn_below": None if below is None else f"{below.normalize():f}"}}

    def form(self, *data: Any) -> forms.Form:
        made = super().form(*data)
        assert self.wallet is not None
        made.fields["warn_below"].label = _("Warn below, in %s") % self.wallet.account.currency
        return made

    def save(self, form: Any) -> HttpResponse:
        assert self.wallet is not None
        set_warning(self.wallet.pk, form.cleaned_data["warn_below"])
        return self.go("account", said=_("Saved."))


class Members(CustomerView, own.OwnMembers):
    """Members and keys."""


class Invite(CustomerView, own.InviteOwn):
    """Invite a member."""


class EditMember(CustomerView, own.EditOwn):
    """A member's role."""


class SwitchMember(CustomerView, own.SwitchOwn):
    """Switch a member on or off."""


class NewKey(CustomerView, own.NewOwnKey):
    """Create a key."""


class RevokeKey(CustomerView, own.RevokeOwnKey):
    """Revoke a key."""
