"""The dealer's addresses, by what people do."""

from __future__ import annotations

from django.urls import path

from billing.portals.dealer import (
    brand,
    buying,
    calls,
    customers,
    home,
    invoices,
    lists,
    money,
    reports,
    rerating,
    search,
)
from billing.portals.own.alarms.urls import alarm_paths
from billing.portals.own.bank.urls import bank_paths
from billing.portals.own.books.urls import book_paths
from billing.portals.own.credit import CreditBill
from billing.portals.own.lists.urls import list_paths
from billing.portals.own.live.urls import live_paths
from billing.portals.own.products.urls import product_paths
from tiers.models import Kind

app_name = "dealer"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("search/", search.Search.as_view(), name="search"),
    path("customers/", customers.Customers.as_view(), name="customers"),
    path("customers/new/", customers.NewCustomer.as_view(), name="customer_new"),
    path("customers/<slug:code>/", customers.Customer.as_view(), name="customer"),
    path("customers/<slug:code>/edit/", customers.EditCustomer.as_view(), name="customer_edit"),
    path("customers/<slug:code>/status/<slug:status>/", customers.CustomerStatus.as_view(), name="customer_status"),
    path("customers/<slug:code>/invite/", customers.InviteTo.as_view(), name="customer_invite"),
    path("customers/<slug:code>/identities/", customers.AddIdentity.as_view(), name="customer_identity"),
    path(
        "customers/<slug:code>/identities/<uuid:identity>/remove/",
        customers.RemoveIdentity.as_view(),
        name="customer_identity_remove",
    ),
    path("customers/<slug:code>/carrier/<slug:carrier>/", customers.ChooseFor.as_view(), name="customer_carrier"),
    path("money/", money.Money.as_view(), name="money"),
    path("money/wallets/", money.Wallets.as_view(), name="wallets"),
    path("money/wallets/<uuid:wallet>/", money.WalletPage.as_view(), name="wallet"),
    path("money/wallets/<uuid:wallet>/sides/", money.MovePreview.as_view(), name="sides"),
    path("money/wallets/<uuid:wallet>/allocate/", money.Allocate.as_view(), name="allocate"),
    path("money/wallets/<uuid:wallet>/withdraw/", money.Withdraw.as_view(), name="withdraw"),
    path("money/wallets/<uuid:wallet>/payment/", money.Payment.as_view(), name="payment"),
    path("money/wallets/<uuid:wallet>/refund/", money.Refund.as_view(), name="refund"),
    path("money/wallets/<uuid:wallet>/limits/", money.Limits.as_view(), name="limits"),
    path("prices/", lists.Lists.as_view(), name="prices"),
    path("prices/new/", lists.NewList.as_view(), name="list_new"),
    path("prices/buy/", buying.BuyPrices.as_view(), name="buy_prices"),
    path("prices/compare/", buying.Compare.as_view(), name="compare"),
    path("prices/compare/carriers.csv", buying.Compare.as_view(as_file=True), name="compare_csv"),
    path("prices/below-cost/", buying.BelowCost.as_view(), name="below_cost"),
    path("prices/numbers/", buying.Numbers.as_view(), name="numbers"),
    path("prices/try/", buying.TryNumber.as_view(), name="try"),
    path("prices/lists/<slug:code>/", lists.ListPage.as_view(), name="list"),
    path("prices/lists/<slug:code>/prices/", lists.ListPrices.as_view(), name="list_prices"),
    path("prices/lists/<slug:code>/file/<slug:kind>/", lists.ListFile.as_view(), name="list_file"),
    path("prices/lists/<slug:code>/markup/", lists.SetMarkup.as_view(), name="markup"),
    path("prices/lists/<slug:code>/markup/effect/", lists.MarkupEffect.as_view(), name="markup_effect"),
    path("prices/lists/<slug:code>/rate/", lists.SetRate.as_view(), name="rate"),
    path("prices/lists/<slug:code>/rate/<slug:prefix>/end/", lists.EndRate.as_view(), name="rate_end"),
    path("prices/lists/<slug:code>/copy/", lists.CopyList.as_view(), name="list_copy"),
    path("calls/", calls.Calls.as_view(), name="calls"),
    path("calls/export.csv", calls.Calls.as_view(as_file=True), name="calls_csv"),
    path("calls/unrated/", calls.Unrated.as_view(), name="unrated"),
    path("calls/rerating/", rerating.Reratings.as_view(), name="reratings"),
    path("calls/rerating/new/", rerating.NewRerating.as_view(), name="rerating_new"),
    path("calls/rerating/<uuid:run>/", rerating.ReratingPage.as_view(), name="rerating"),
    path("calls/rerating/<uuid:run>/progress/", rerating.ReratingProgress.as_view(), name="rerating_progress"),
    path("calls/rerating/<uuid:run>/post/", rerating.PostRerating.as_view(), name="rerating_post"),
    path("calls/<uuid:call>/", calls.CallPage.as_view(), name="call"),
    path("reports/", reports.Reports.as_view(), name="reports"),
    path("reports/file/<slug:kind>/", reports.Reports.as_view(), name="report_file"),
    *bank_paths("dealer"),
    path("invoices/", invoices.Invoices.as_view(), name="invoices"),
    path("invoices/run/", invoices.RunMonth.as_view(), name="invoices_run"),
    path("invoices/send/<slug:month>/", invoices.SendMonth.as_view(), name="invoices_send"),
    path("invoices/received/", invoices.Received.as_view(), name="received"),
    path("invoices/received/<uuid:invoice>/", invoices.ReceivedPage.as_view(), name="received_one"),
    path("invoices/<uuid:invoice>/", invoices.InvoicePage.as_view(), name="invoice"),
    path("invoices/<uuid:invoice>/approve/", invoices.Approve.as_view(), name="invoice_approve"),
    path("invoices/<uuid:invoice>/issue/", invoices.Issue.as_view(), name="invoice_issue"),
    path("invoices/<uuid:invoice>/send/", invoices.Send.as_view(), name="invoice_send"),
    path("invoices/<uuid:invoice>/discard/", invoices.Discard.as_view(), name="invoice_discard"),
    path("invoices/<uuid:invoice>/credit/", CreditBill.as_view(kind=Kind.DEALER), name="invoice_credit"),
    path("invoices/<uuid:invoice>/<slug:kind>/", invoices.Download.as_view(), name="invoice_file"),
    path("brand/", brand.BrandPage.as_view(), name="brand"),
    path("brand/new/", brand.NewBrand.as_view(), name="brand_new"),
    path("brand/members/", brand.Members.as_view(), name="members"),
    path("brand/members/invite/", brand.Invite.as_view(), name="member_invite"),
    path("brand/members/<uuid:member>/", brand.EditMember.as_view(), name="member"),
    path("brand/members/<uuid:member>/switch/", brand.SwitchMember.as_view(), name="member_switch"),
    path("brand/keys/new/", brand.NewKey.as_view(), name="key_new"),
    path("brand/keys/<str:prefix>/revoke/", brand.RevokeKey.as_view(), name="key_revoke"),
    path("brand/<slug:code>/dial/", brand.DialPlan.as_view(), name="brand_plan"),
    path("brand/<slug:code>/edit/", brand.EditBrand.as_view(), name="brand_edit"),
    *list_paths("dealer"),
    *live_paths("dealer"),
    *alarm_paths("dealer"),
    *product_paths("dealer"),
    *book_paths("dealer"),
]
