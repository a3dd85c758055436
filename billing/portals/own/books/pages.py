"""Accounting: what each account moved in a period, the tax, and the files that an accountant takes away."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.own.report_words import days_words
from billing.portals.tabs import Tab, tabs
from billing.portals.views import FormPage, PortalView
from invoicing.books.asked import Asked, currencies_of
from invoicing.books.chart import DEFAULTS
from invoicing.books.files import CSV_TYPE, WORDS, XLSX_TYPE, Export, Format, book_file
from invoicing.books.journal import Balance, balances, trial_balance
from invoicing.books.tax import tax_lines
from invoicing.models import Position
from invoicing.selectors import books
from invoicing.services.chart import set_code
from invoicing.services.periods import month_before, next_month, today_in
from tiers.errors import Invalid, NotFound
from tiers.roles import May

ABOUT = {
    Export.JOURNAL: gettext_lazy("A debit and a credit for each, with the bill it is on."),
    Export.DAYS: gettext_lazy("One amount a day and pair of accounts: short, however many calls."),
    Export.MONTHS: gettext_lazy("One amount a month and pair of accounts."),
    Export.BALANCES: gettext_lazy("Opening, movements and closing of each customer and carrier."),
    Export.INVOICES: gettext_lazy("Number, date, customer, net, tax, gross, paid and open."),
    Export.TAX: gettext_lazy("Net and tax per rate, and what the tax account moved."),
}


class BooksView(PortalView):
    """`kind` comes from the portal. Only who may move money sees the books."""

    kind = ""
    right = May.MONEY
    right_to_see = True

    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Books"), reverse(f"{self.kind}:books")),
            (gettext_lazy("Chart of accounts"), reverse(f"{self.kind}:books_chart")),
        )

    def asked(self, request: HttpRequest, *, days: bool = True) -> Asked:
        """From the address; last month, all of it, where it says nothing. 404 for what is not the viewer's."""
        try:
            brand = books.brand_of(self.viewer, request.GET.get("brand", ""))
            month = month_before(today_in(brand.time_zone))
            first = (_day(request.GET.get("since", "")) if days else None) or month
            last = (_day(request.GET.get("until", "")) if days else None) or _month_end(first)
            return books.own_books(self.viewer, brand, first, last, request.GET.get("currency", ""))
        except NotFound as error:
            raise Http404 from error


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("since", _("%s is not a day.") % text, where="since") from None


def _month_end(first: date) -> date:
    return date.fromordinal(next_month(first).toordinal() - 1)


class Books(BooksView):
    template_name = "own/books/books.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        problem = ""
        try:
            asked = self.asked(request)
        except Invalid as error:
            problem, asked = error.message, self.asked(request, days=False)
        rows = trial_balance(balances(asked))
        return self.page(
            tabs=self.tabs(),
            ns=self.kind,
            asked=asked,
            problem=problem,
            period_words=days_words(asked.first, asked.last),
            rows=[_row(row) for row in rows],
            debit=sum((row.debit for row in rows), Decimal(0)),
            credit=sum((row.credit for row in rows), Decimal(0)),
            tax=tax_lines(asked),
            spans=self.spans(asked),
            brand=request.GET.get("brand", ""),
            currencies=[(one, self.address(asked, currency=one), one == asked.currency) for one in self.currencies()],
            files=[(WORDS[one], ABOUT[one], self.files(asked, one)) for one in Export],
        )

    def currencies(self) -> list[str]:
        return currencies_of(self.viewer.party)

    def spans(self, asked: Asked) -> list[tuple[Any, str, bool]]:
        this = timezone.localdate().replace(day=1)
        last = month_before(this)
        found = [
            (gettext_lazy("This month"), this, _month_end(this)),
            (gettext_lazy("Last month"), last, _month_end(last)),
            (gettext_lazy("This year"), this.replace(month=1), this.replace(month=12, day=31)),
        ]
        return [
            (word, self.address(asked, since=first, until=end), (asked.first, asked.last) == (first, end))
            for word, first, end in found
        ]

    def address(self, asked: Asked, **changes: Any) -> str:
        return f"{reverse(f'{self.kind}:books')}?{self.query(asked, **changes)}"

    def query(self, asked: Asked, **changes: Any) -> str:
        given = {"since": asked.first, "until": asked.last, "currency": asked.currency} | changes
        if brand := self.request.GET.get("brand"):
            given["brand"] = brand
        return urlencode(given)

    def files(self, asked: Asked, export: Export) -> list[tuple[str, str]]:
        query = self.query(asked)
        return [(one.upper(), f"{reverse(f'{self.kind}:books_file', args=[export, one])}?{query}") for one in Format]


def _row(row: Balance) -> tuple[Balance, Decimal, Decimal]:
    """A balance, and its opening and closing as accountants read them: a debit balance above zero."""
    return row, -row.opening, -row.closing


class BooksFile(BooksView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            made, name = book_file(self.asked(request), kwargs["export"], kwargs["file"])
        except (Invalid, NotFound) as error:
            raise Http404 from error
        media = CSV_TYPE if kwargs["file"] == Format.CSV else XLSX_TYPE
        return FileResponse(made, content_type=media, as_attachment=True, filename=name)


class Chart(BooksView):
    template_name = "own/books/chart.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        own = {(row.position, row.of): row.code for row in books.codes(self.viewer)}
        rows = [
            (position, Position(position).label, own.get((position, ""), default), (position, "") in own)
            for position, default in DEFAULTS.items()
        ]
        special = [(position, Position(position).label, of, code) for (position, of), code in own.items() if of]
        return self.page(tabs=self.tabs(), ns=self.kind, rows=rows, special=special)


class CodeForm(forms.Form):
    position = forms.ChoiceField(label=gettext_lazy("Account"), choices=Position.choices)
    code = forms.CharField(
        label=gettext_lazy("Your code"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("As in your accounting program. Leave it empty for the default."),
    )
    of = forms.CharField(
        label=gettext_lazy("Only for (code)"),
        max_length=32,
        required=False,
        help_text=gettext_lazy("One customer or carrier that has an account of its own; empty: for all."),
    )


class SetCode(BooksView, FormPage):
    form_class: ClassVar[type[forms.Form]] = CodeForm
    heading = gettext_lazy("Code of an account")
    verb = gettext_lazy("Save")

    def form_arguments(self) -> dict[str, Any]:
        self.back = reverse(f"{self.kind}:books_chart")
        return {"initial": {name: self.request.GET.get(name, "") for name in ("position", "of", "code")}}

    def save(self, form: Any) -> HttpResponse:
        given = form.cleaned_data
        try:
            set_code(self.viewer.party, given["position"], given["code"], actor=self.viewer.actor, of=given["of"])
        except NotFound as error:
            form.add_error("of", error.message)
            return self.form_page(form, status=422)
        return self.go("books_chart", said=_("The code is saved; exports from now on have it."))
