"""Money: what the book holds, where funds went, one wallet with its moves, the ledger."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AccountKind, TransferKind, Wallet
from accounts.selectors import money
from accounts.services import funds
from billing.formatting import money_text
from billing.portals.charts import Chart, Flow, sankey
from billing.portals.filters import Filters
from billing.portals.forms.money import CreditForm, MoveForm, PaymentForm, RefundForm
from billing.portals.keyset import page_of
from billing.portals.operator.base import OperatorForm, OperatorView
from billing.portals.tabs import Tab, tabs
from invoicing.services.payments import record_payment
from tiers.errors import NotFound
from tiers.roles import May
from tiers.selectors import people

MOST_FLOWS = 40
SIGNS = {"allocate": 1, "payment": 1, "withdraw": -1, "refund": -1}


class MoneyView(OperatorView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Funds"), reverse("operator:money")),
            (gettext_lazy("Wallets"), reverse("operator:wallets")),
            (gettext_lazy("Ledger"), reverse("operator:ledger")),
        )


class Money(MoneyView):
    """The book by currency, and the flow of funds down the tiers."""

    template_name = "operator/money.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        book: dict[str, list[money.BookBalance]] = defaultdict(list)
        for one in money.book(self.viewer):
            book[one.account.currency].append(one)
        return self.page(tabs=self.tabs(), book=dict(book), charts=self.charts())

    def charts(self) -> list[Chart]:
        """One Sankey per currency, the largest flows of each."""
        flows: dict[str, list[money.FundsDown]] = defaultdict(list)
        for one in money.funds_down(self.viewer):
            flows[one.currency].append(one)
        return [_sankey(currency, found[:MOST_FLOWS]) for currency, found in sorted(flows.items())]


def _sankey(currency: str, found: list[money.FundsDown]) -> Chart:
    names = {str(one.seller): one.seller_name for one in found} | {str(one.buyer): one.buyer_name for one in found}
    flows = [Flow(str(one.seller), str(one.buyer), one.amount, money_text(one.amount, currency)) for one in found]
    title = _("Funds down the tiers in %s") % currency
    return sankey(f"funds-{currency}", title, names, flows, [_("From"), _("To"), _("Net amount")])


class WalletFilters(Filters):
    noun = gettext_lazy("Wallets")
    phrases: ClassVar[dict[str, Any]] = {
        "q": gettext_lazy("of parties named like “%s”"),
        "low": gettext_lazy("low or empty"),
    }

    q = forms.CharField(label=gettext_lazy("Name or code"))
    low = forms.ChoiceField(label=gettext_lazy("Funds"), choices=[("", "—"), ("1", gettext_lazy("low or empty"))])

    def words(self, name: str) -> Any:
        return () if name == "low" else super().words(name)


class Wallets(MoneyView):
    template_name = "operator/wallets.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = WalletFilters(request)
        found = money.low_wallets(self.viewer) if filters.value("low") else money.wallets(self.viewer)
        if (text := filters.value("q")) is not None:
            owners = people.matching(people.parties(self.viewer), text).values("pk")
            found = found.filter(account__owner__in=owners)
        page = page_of(found, request.GET, key="account_id")
        return self.page(tabs=self.tabs(), filters=filters, page=page)


class OneWallet:
    """Mix-in: the wallet that the address names, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @property
    def wallet(self) -> Wallet:
        found = getattr(self, "_wallet", None)
        if found is None:
            found = self._wallet = money.wallet_by_id(self.viewer, self.kwargs["wallet"])
        return found

    @property
    def is_direct(self) -> bool:
        """Is the viewer itself the seller? Payments, refunds and credit are between neighbours."""
        return bool(self.wallet.seller_id == self.viewer.party.pk)


class WalletPage(OneWallet, OperatorView):
    template_name = "operator/wallet.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(money.transfers_of_wallet(self.viewer, self.wallet), request.GET)
        return self.page(
            wallet=self.wallet,
            page=page,
            direct=self.is_direct,
            withdrawable=funds.withdrawable(self.wallet),
            below=self.wallet.account.owner_id != self.viewer.party.pk,
        )


class MovePage(OneWallet, OperatorForm):
    """A form that moves money into or out of a wallet, with both sides before and after."""

    form_class = MoveForm
    template_name = "operator/move.html"
    right = May.MONEY
    purpose: ClassVar[str] = ""
    title: ClassVar[Any] = ""
    direct_only: ClassVar[bool] = False

    @property
    def heading(self) -> str:  # type: ignore[override]
        return str(self.title) % {"name": self.wallet.account.owner.name}

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:wallet", args=[self.wallet.pk])

    def form_arguments(self) -> dict[str, Any]:
        own = self.wallet.account.owner_id == self.viewer.party.pk
        if own or (self.direct_only and not self.is_direct):
            raise NotFound("not_direct", _("There is no such wallet here."))
        return {"wallet": self.wallet}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        sides = preview(self.wallet, self.viewer, str(form["amount"].value() or ""), SIGNS[self.purpose])
        return {"wallet": self.wallet, "purpose": self.purpose, "sides": sides}

    def save(self, form: Any) -> HttpResponse:
        self.post_move(form)
        said = _("Done. %(name)s now has %(amount)s available.")
        wallet = money.wallet_by_id(self.viewer, self.wallet.pk)
        amount = money_text(wallet.available, wallet.account.currency)
        return self.go("wallet", wallet.pk, said=said % {"name": wallet.account.owner.name, "amount": amount})

    def post_move(self, form: Any) -> None:
        raise NotImplementedError


class Allocate(MovePage):
    purpose = "allocate"
    title = gettext_lazy("Allocate funds to %(name)s")
    verb = gettext_lazy("Allocate")

    def post_move(self, form: Any) -> None:
        move = form.move(self.purpose, self.viewer.actor)
        funds.allocate(self.viewer.party, self.wallet.account.owner, move)


class Withdraw(MovePage):
    purpose = "withdraw"
    title = gettext_lazy("Withdraw funds from %(name)s")
    verb = gettext_lazy("Withdraw")
    lead = gettext_lazy("Takes back only what was allocated and is not spent. What a buyer paid leaves as a refund.")

    def post_move(self, form: Any) -> None:
        move = form.move(self.purpose, self.viewer.actor)
        funds.withdraw(self.viewer.party, self.wallet.account.owner, move)


class Payment(MovePage):
    form_class = PaymentForm
    purpose = "payment"
    title = gettext_lazy("Record a payment of %(name)s")
    verb = gettext_lazy("Record")
    direct_only = True

    def post_move(self, form: Any) -> None:
        data = form.cleaned_data
        record_payment(
            self.viewer.party,
            self.wallet.account.owner,
            form.move(self.purpose, self.viewer.actor),
            received_on=data["received_on"],
            method=data["method"],
            reference=data["reference"],
        )


class Refund(MovePage):
    form_class = RefundForm
    purpose = "refund"
    title = gettext_lazy("Refund %(name)s")
    verb = gettext_lazy("Refund")
    direct_only = True

    def post_move(self, form: Any) -> None:
        funds.refund(self.viewer.party, self.wallet.account.owner, form.move(self.purpose, self.viewer.actor))


class Credit(OneWallet, OperatorForm):
    form_class = CreditForm
    right = May.MONEY
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("How %s pays") % self.wallet.account.owner.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:wallet", args=[self.wallet.pk])

    def form_arguments(self) -> dict[str, Any]:
        if not self.is_direct:
            raise NotFound("not_direct", _("There is no such wallet here."))
        return {"initial": {"billing": self.wallet.billing, "credit_limit": self.wallet.credit_limit.normalize()}}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        funds.set_credit(self.wallet.pk, billing=data["billing"], credit_limit=data["credit_limit"])
        return self.go("wallet", self.wallet.pk, said=_("Saved."))


class MovePreview(OneWallet, OperatorView):
    """The two sides after an amount that is being typed; part of a page."""

    template_name = "operator/move_sides.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sign = SIGNS.get(request.GET.get("purpose", ""), 1)
        return self.page(
            sides=preview(self.wallet, self.viewer, request.GET.get("amount", ""), sign), wallet=self.wallet
        )


def preview(wallet: Wallet, viewer: Any, amount: str, sign: int) -> list[dict[str, Any]]:
    """Name, before and after for the buyer, and for the seller where its own wallet gives the funds."""
    change = _amount(amount) * sign
    owner = wallet.account.owner
    sides = [{"name": owner.name, "before": wallet.available, "after": wallet.available + change}]
    if wallet.seller_wallet_id is not None:
        found = money.wallets(viewer).filter(pk=wallet.seller_wallet_id).first()
        if found is not None:
            name = found.account.owner.name
            sides.append({"name": name, "before": found.available, "after": found.available - change})
    return sides


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() and 0 < amount < Decimal(10) ** 14 else Decimal(0)


class LedgerFilters(Filters):
    noun = gettext_lazy("Transfers")
    phrases: ClassVar[dict[str, Any]] = {
        "party": gettext_lazy("of %s"),
        "kind": gettext_lazy("for %s"),
        "since": gettext_lazy("from %s on"),
        "until": gettext_lazy("up to %s"),
    }

    party = forms.CharField(label=gettext_lazy("Party (code)"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *TransferKind.choices])
    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput(attrs={"type": "date"}))


class Ledger(MoneyView):
    template_name = "operator/ledger.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = LedgerFilters(request)
        found = money.transfers(self.viewer)
        if (code := filters.value("party")) is not None:
            found = money.transfers_of(self.viewer, people.party_by_code(self.viewer, code))
        if (kind := filters.value("kind")) is not None:
            found = found.filter(kind=kind)
        if (since := filters.value("since")) is not None:
            found = found.filter(created_at__date__gte=since)
        if (until := filters.value("until")) is not None:
            found = found.filter(created_at__date__lte=until)
        return self.page(tabs=self.tabs(), filters=filters, page=page_of(found, request.GET))


class TransferPage(OperatorView):
    template_name = "operator/transfer.html"

    def get(self, request: HttpRequest, transfer: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = money.transfers(self.viewer).filter(pk=transfer).first()
        if found is None:
            raise NotFound("no_transfer", _("There is no such transfer here."))
        return self.page(
            transfer=found,
            together=money.transfers(self.viewer).filter(cause=found.cause).exclude(pk=found.pk).order_by("id")[:50],
            wallet_kind=AccountKind.WALLET,
        )
