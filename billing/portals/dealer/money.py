"""Money: the dealer's own wallet, its buyers' wallets, and what moves between them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AccountKind, Wallet
from accounts.selectors import money
from accounts.services import funds
from accounts.services.alerts import set_warning
from billing.formatting import money_text
from billing.portals.dealer.base import DealerForm, DealerView
from billing.portals.filters import Filters
from billing.portals.forms.money import CreditForm, MoveForm, PaymentForm, RefundForm
from billing.portals.keyset import page_of
from billing.portals.tabs import Tab, tabs
from invoicing.services.payments import record_payment
from tiers.errors import NotFound
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer

IN, OUT = 1, -1
CASH, GIVEN = AccountKind.CASH, AccountKind.ADJUSTMENTS
LARGEST = Decimal(10) ** 14


class MoneyView(DealerView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Your wallet"), reverse("dealer:money")),
            (gettext_lazy("Buyers' wallets"), reverse("dealer:wallets")),
        )


class Money(MoneyView):
    """What the dealer has with its seller, and every transfer of it."""

    template_name = "dealer/money.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wallet = self.own_wallet
        page = page_of(money.transfers_of_wallet(self.viewer, wallet), request.GET) if wallet else None
        return self.page(tabs=self.tabs(), wallet=wallet, page=page, book=money.book(self.viewer))


class WalletFilters(Filters):
    noun = gettext_lazy("Buyers' wallets")
    phrases: ClassVar[dict[str, Any]] = {"q": gettext_lazy("of parties named like “%s”"), "low": "%s"}

    q = forms.CharField(label=gettext_lazy("Name or code"), max_length=100)
    low = forms.ChoiceField(label=gettext_lazy("Funds"), choices=[("", "—"), ("1", gettext_lazy("low or empty"))])


class Wallets(MoneyView):
    template_name = "dealer/wallets.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = WalletFilters(request)
        found = money.low_wallets(self.viewer) if filters.value("low") else money.wallets(self.viewer)
        found = found.filter(seller=self.viewer.party)
        if (text := filters.value("q")) is not None:
            found = found.filter(account__owner__in=people.matching(people.parties(self.viewer), text).values("pk"))
        return self.page(tabs=self.tabs(), filters=filters, page=page_of(found, request.GET, key="account_id"))


class OneWallet:
    """Mix-in: a wallet that the viewer's party sold, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @cached_property
    def wallet(self) -> Wallet:
        found = money.wallet_by_id(self.viewer, self.kwargs["wallet"])
        if found.seller_id != self.viewer.party.pk:
            raise NotFound("no_wallet", _("There is no such wallet here."))
        return found

    @property
    def wallet_url(self) -> str:
        return reverse("dealer:wallet", args=[self.kwargs["wallet"]])


class WalletPage(OneWallet, DealerView):
    template_name = "dealer/wallet.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(
            wallet=self.wallet,
            page=page_of(money.transfers_of_wallet(self.viewer, self.wallet), request.GET),
            withdrawable=funds.withdrawable(self.wallet),
            may_move=self.viewer.may(May.MONEY),
        )


class MovePage(OneWallet, DealerForm):
    """Money into or out of a buyer's wallet; both sides stand above the form, before and after."""

    form_class = MoveForm
    template_name = "dealer/move.html"
    right = May.MONEY
    purpose: ClassVar[str] = ""
    title: ClassVar[Any] = ""

    @property
    def heading(self) -> str:  # type: ignore[override]
        return str(self.title) % {"name": self.wallet.account.owner.name}

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.wallet_url

    def form_arguments(self) -> dict[str, Any]:
        return {"wallet": self.wallet}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        sides = both_sides(self.viewer, self.wallet, self.purpose, str(form["amount"].value() or ""))
        return {"wallet": self.wallet, "purpose": self.purpose, "sides": sides}

    def save(self, form: Any) -> HttpResponse:
        self.post_move(form)
        wallet = money.wallet_by_id(self.viewer, self.wallet.pk)
        said = _("Done. %(name)s now has %(amount)s available.") % {
            "name": wallet.account.owner.name,
            "amount": money_text(wallet.available, wallet.account.currency),
        }
        return self.go("wallet", wallet.pk, said=said)

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

    def post_move(self, form: Any) -> None:
        funds.refund(self.viewer.party, self.wallet.account.owner, form.move(self.purpose, self.viewer.actor))


class LimitsForm(CreditForm):
    """How a wallet pays, how far below 0 it may go, and when its owner is warned."""

    warn_below = forms.DecimalField(
        label=gettext_lazy("Warn below"),
        required=False,
        max_digits=20,
        decimal_places=6,
        help_text=gettext_lazy("A mail goes out once when less than this is left. Empty: as your rule for all says."),
    )


class Limits(OneWallet, DealerForm):
    form_class = LimitsForm
    right = May.MONEY
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Limits of %s") % self.wallet.account.owner.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        return _("Now %(amount)s is available, %(limit)s of it credit.") % {
            "amount": money_text(self.wallet.available, self.wallet.account.currency),
            "limit": money_text(self.wallet.credit_limit, self.wallet.account.currency),
        }

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.wallet_url

    def form_arguments(self) -> dict[str, Any]:
        wallet = self.wallet
        below = wallet.warn_below
        initial = {
            "billing": wallet.billing,
            "credit_limit": f"{wallet.credit_limit.normalize():f}",
            "warn_below": None if below is None else f"{below.normalize():f}",
        }
        return {"initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        funds.set_credit(self.wallet.pk, billing=data["billing"], credit_limit=data["credit_limit"])
        set_warning(self.wallet.pk, data["warn_below"])
        return self.go("wallet", self.wallet.pk, said=_("Saved."))


class MovePreview(OneWallet, DealerView):
    """The two sides after the amount that is being typed; part of a page."""

    template_name = "dealer/sides.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET
        sides = both_sides(self.viewer, self.wallet, asked.get("purpose", ""), asked.get("amount", ""))
        return self.page(sides=sides, wallet=self.wallet)


MOVES = {"allocate": (IN, GIVEN), "withdraw": (OUT, GIVEN), "payment": (IN, CASH), "refund": (OUT, CASH)}
"""Which way money goes, seen from the buyer, and which account of a wholesale seller's book stands against it."""


def both_sides(viewer: Viewer, wallet: Wallet, purpose: str, text: str) -> list[dict[str, Any]]:
    """{name, before, after} of the buyer and of what stands on the other side: the seller's wallet, or its book."""
    sign, kind = MOVES.get(purpose, (IN, GIVEN))
    change = typed_amount(text) * sign
    buyer = {"name": wallet.account.owner.name, "before": wallet.available, "after": wallet.available + change}
    if wallet.seller_wallet_id is not None:
        giver = money.wallet_by_id(viewer, wallet.seller_wallet_id)
        name, held = _("Your wallet with %s") % giver.seller.name, giver.available
    else:
        accounts = {(one.account.kind, one.account.currency): one.balance for one in money.book(viewer)}
        held = accounts.get((kind, wallet.account.currency), Decimal(0))
        name = _("Your cash") if kind == CASH else _("Your adjustments account")
    return [buyer, {"name": name, "before": held, "after": held - change}]


def typed_amount(text: str) -> Decimal:
    """What is being typed, 0 while it is no amount."""
    try:
        amount = Decimal(text.strip())
    except ArithmeticError:
        return Decimal(0)
    return amount if amount.is_finite() and 0 < amount < LARGEST else Decimal(0)
