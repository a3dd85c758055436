"""Forms that move money. Each carries its own key, so that one click moves it once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Billing, Wallet
from accounts.services.funds import Move
from billing.portals.views import OnceForm
from tiers.viewer import Actor


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MoveForm(OnceForm):
    """An amount and why."""

    amount = forms.DecimalField(label=_("Amount"), max_digits=20, decimal_places=6)
    reason = forms.CharField(
        label=_("Reason"), max_length=500, required=False, help_text=_("Stands in the ledger beside your name.")
    )

    def __init__(self, *args: Any, wallet: Wallet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wallet = wallet
        currency = wallet.account.currency
        self.fields["amount"].label = _("Amount in %s") % currency
        self.fields["amount"].widget.attrs |= {"inputmode": "decimal", "autofocus": True, "step": "any"}

    def move(self, purpose: str, actor: Actor) -> Move:
        return Move(
            amount=self.cleaned_data["amount"],
            currency=self.wallet.account.currency,
            key=self.once(purpose),
            actor=actor,
            reason=self.cleaned_data["reason"],
        )


class RefundForm(MoveForm):
    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("The buyer reads it on its statement."))


class PaymentForm(MoveForm):
    """Money that reached the seller outside the system."""

    received_on = forms.DateField(label=_("Received on"), initial=date.today, widget=date_input())
    method = forms.CharField(label=_("How"), max_length=60, required=False, help_text=_("Bank transfer, cash, cheque."))
    reference = forms.CharField(label=_("Reference"), max_length=100, required=False)
    field_order = ("amount", "received_on", "method", "reference", "reason")


class CreditForm(forms.Form):
    """How a wallet pays, and how far below 0 it may go."""

    billing = forms.ChoiceField(label=_("Pays"), choices=Billing.choices)
    credit_limit = forms.DecimalField(
        label=_("Credit limit"),
        min_value=Decimal(0),
        max_digits=20,
        decimal_places=6,
        help_text=_("How far below 0 a postpaid wallet may go. Prepaid: 0."),
    )
