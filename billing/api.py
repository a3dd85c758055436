"""The REST API's root: resources live with their apps and are joined here."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import DefaultRouter

from accounts.alerts_api import AlarmRuleViewSet, AlarmViewSet
from accounts.api import FundsViewSet, TransferViewSet, WalletViewSet
from invoicing.api import InvoiceViewSet, PaymentViewSet
from invoicing.bank_api import AgeingViewSet, BankEntryViewSet
from invoicing.books_api import BooksViewSet
from invoicing.products_api import ChargeViewSet, ProductViewSet, SubscriptionViewSet
from rating.api import (
    CallViewSet,
    ImportViewSet,
    QuoteViewSet,
    SourceViewSet,
)
from rating.carriers_api import CarrierViewSet
from rating.deck_api import DeckViewSet
from rating.exchange_api import ExchangeRateViewSet
from rating.lists_api import GroupViewSet, ListViewSet
from rating.live import urls as live
from rating.live_api import CallLimitViewSet, HoldViewSet, LiveCallViewSet, SwitchKeyViewSet
from rating.prices_api import TableViewSet
from rating.report_api import ReportViewSet
from rating.rerating_api import RerateViewSet
from tiers.api import BrandViewSet, KeyViewSet, MemberViewSet, MeViewSet, PartyViewSet

router = DefaultRouter()
router.include_format_suffixes = False
for name, resource in {
    "me": MeViewSet,
    "parties": PartyViewSet,
    "brands": BrandViewSet,
    "members": MemberViewSet,
    "api-keys": KeyViewSet,
    "wallets": WalletViewSet,
    "transfers": TransferViewSet,
    "funds": FundsViewSet,
    "alarms": AlarmViewSet,
    "alarm-rules": AlarmRuleViewSet,
    "carriers": CarrierViewSet,
    "rate-tables": TableViewSet,
    "decks": DeckViewSet,
    "price-lists": ListViewSet,
    "destination-groups": GroupViewSet,
    "exchange-rates": ExchangeRateViewSet,
    "reratings": RerateViewSet,
    "sources": SourceViewSet,
    "usage-imports": ImportViewSet,
    "calls": CallViewSet,
    "live-calls": LiveCallViewSet,
    "holds": HoldViewSet,
    "switch-keys": SwitchKeyViewSet,
    "call-limits": CallLimitViewSet,
    "quote": QuoteViewSet,
    "reports": ReportViewSet,
    "products": ProductViewSet,
    "subscriptions": SubscriptionViewSet,
    "charges": ChargeViewSet,
    "invoices": InvoiceViewSet,
    "payments": PaymentViewSet,
    "books": BooksViewSet,
    "bank-entries": BankEntryViewSet,
    "ageing": AgeingViewSet,
}.items():
    router.register(name, resource, basename=name)

urlpatterns = [
    path("v1/calls/", include((live.calls, "live"))),
    path("v1/", include((router.urls, "api"))),
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api_schema"), name="api_docs"),
]
