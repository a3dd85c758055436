"""Whose money it is, by API: wallets, transfers, and moving funds down and up."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Billing, Funding, Transfer, TransferKind, Wallet
from accounts.selectors import money
from accounts.services import funds
from accounts.services.accounts import open_wallet
from accounts.services.funds import Move
from tiers.api import below
from tiers.errors import NotFound
from tiers.models import Party
from tiers.rest import KEYED, AmountField, CodeField, ViewerViewSet, extend_schema
from tiers.roles import May
from tiers.selectors import people


class WalletOut(serializers.Serializer[Any]):
    """available = posted - held - owed_below + credit_limit."""

    id = serializers.UUIDField(source="pk")
    party = serializers.CharField(source="account.owner.code")
    seller = serializers.CharField(source="seller.code")
    currency = serializers.CharField(source="account.currency")
    funding = serializers.ChoiceField(choices=Funding.choices)
    billing = serializers.ChoiceField(choices=Billing.choices)
    posted = AmountField()
    held = AmountField()
    owed_below = AmountField()
    credit_limit = AmountField()
    available = AmountField()
    warn_below = AmountField(allow_null=True)


class WalletIn(serializers.Serializer[Any]):
    party = CodeField()
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    funding = serializers.ChoiceField(choices=Funding.choices, default=Funding.WHOLESALE)
    billing = serializers.ChoiceField(choices=Billing.choices, default=Billing.PREPAID)
    credit_limit = AmountField(default=0, min_value=0)


class CreditIn(serializers.Serializer[Any]):
    billing = serializers.ChoiceField(choices=Billing.choices)
    credit_limit = AmountField(min_value=0)


class WalletViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Wallets of the viewer's party and of all below it."""

    ordering = "-account_id"
    serializer_class = WalletOut
    right = May.MONEY

    def get_queryset(self) -> Any:
        return Wallet.visible.all() if self.is_schema else money.wallets(self.viewer)

    def get_object(self) -> Wallet:
        return money.wallet_by_id(self.viewer, self.kwargs["pk"])

    @extend_schema(request=WalletIn, responses={201: WalletOut})
    def create(self, request: Request) -> Response:
        given = self.checked(WalletIn)
        buyer = people.party_by_code(self.viewer, given.pop("party"))
        below(self.viewer, buyer)
        made = open_wallet(buyer, seller_of(buyer), given.pop("currency"), **given)
        return Response(WalletOut(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=CreditIn, responses=WalletOut)
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: str) -> Response:
        wallet = self.get_object()
        below(self.viewer, wallet.account.owner)
        if not wallet.seller.is_at_or_below(self.viewer.party):
            raise NotFound("no_wallet", "This wallet is with a seller that its owner has left.")
        given = self.checked(CreditIn)
        funds.set_credit(wallet.pk, billing=given["billing"], credit_limit=given["credit_limit"])
        return Response(WalletOut(self.get_object()).data)


def seller_of(buyer: Party) -> Party:
    parent: Party | None = buyer.get_parent()
    if parent is None:
        raise NotFound("no_seller", "The operator buys from nobody.")
    return parent


class TransferOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TransferKind.choices)
    payer = serializers.CharField(source="payer.owner.code")
    payer_account = serializers.CharField(source="payer.kind")
    payee = serializers.CharField(source="payee.owner.code")
    payee_account = serializers.CharField(source="payee.kind")
    amount = AmountField()
    currency = serializers.CharField()
    reason = serializers.CharField()
    for_month = serializers.DateField()
    cause = serializers.UUIDField()
    reverses = serializers.UUIDField(source="reverses_id")
    actor = serializers.CharField()
    created_at = serializers.DateTimeField()


class TransferViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """The ledger, newest first: `?kind=`, `?party=` narrow it."""

    serializer_class = TransferOut

    def get_queryset(self) -> Any:
        if self.is_schema:
            return Transfer.visible.all()
        asked = self.request.query_params
        if "party" in asked:
            found = money.transfers_of(self.viewer, people.party_by_code(self.viewer, asked["party"]))
        else:
            found = money.transfers(self.viewer)
        return found.filter(kind=asked["kind"]) if "kind" in asked else found


class MoveIn(serializers.Serializer[Any]):
    party = CodeField(help_text="Whose wallet; somebody below you.")
    amount = AmountField()
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class FundsViewSet(ViewerViewSet):
    """Money down and up. Each request names itself in the header Idempotency-Key: sent twice, it is done once."""

    serializer_class = MoveIn
    right = May.MONEY

    @extend_schema(request=MoveIn, responses={201: TransferOut(many=True)}, parameters=[KEYED])
    @action(detail=False, methods=["post"])
    def allocate(self, request: Request) -> Response:
        party, move = self._asked()
        return self._made(funds.allocate(self.viewer.party, party, move))

    @extend_schema(request=MoveIn, responses={201: TransferOut(many=True)}, parameters=[KEYED])
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        party, move = self._asked()
        return self._made(funds.withdraw(self.viewer.party, party, move))

    @extend_schema(request=MoveIn, responses={201: TransferOut(many=True)}, parameters=[KEYED])
    @action(detail=False, methods=["post"])
    def refund(self, request: Request) -> Response:
        party, move = self._asked()
        return self._made([funds.refund(self.viewer.party, party, move)])

    def _asked(self) -> tuple[Party, Move]:
        key = self.idempotency_key()
        given = self.checked(MoveIn)
        party = people.party_by_code(self.viewer, given["party"])
        return party, Move(given["amount"], given["currency"], key, self.viewer.actor, given["reason"])

    def _made(self, transfers: list[Transfer]) -> Response:
        keys = [transfer.pk for transfer in transfers]
        rows = {row.pk: row for row in money.transfers(self.viewer).filter(pk__in=keys)}
        shown = [rows[key] for key in keys if key in rows]
        return Response(TransferOut(shown, many=True).data, status.HTTP_201_CREATED)
