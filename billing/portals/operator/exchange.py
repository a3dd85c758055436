"""Exchange rates: what holds now, how a pair went, the bank's file with a preview, and one typed in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import price_text, utc_day_text
from billing.portals import charts, staging
from billing.portals.keyset import page_of
from billing.portals.operator.base import OperatorForm, OperatorView
from billing.portals.operator.prices import price_tabs
from billing.portals.views import sentence
from rating.exchange.file import MOST_BYTES
from rating.selectors import exchange
from rating.services.exchange import set_exchange_rate
from rating.services.exchange_files import KEEP, REPLACE, RatesAsked, import_rates
from tiers.errors import NotFound, TollgateError
from tiers.roles import May

STAGED = "exchange"
CHART_ROWS = 260
"""A year of working days."""


class ExchangeForm(forms.Form):
    """One rate of exchange from a moment on."""

    base = forms.CharField(label=gettext_lazy("One unit of"), min_length=3, max_length=3, help_text="USD")
    quote = forms.CharField(label=gettext_lazy("is in"), min_length=3, max_length=3, help_text="EUR")
    rate = forms.DecimalField(label=gettext_lazy("so many"), min_value=Decimal("0.00000001"), decimal_places=8)
    valid_from = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: from now on."),
    )
    replace = forms.BooleanField(
        label=gettext_lazy("Replace a rate of that very moment, even if calls were rated by it"), required=False
    )


class ExchangeRates(OperatorForm):
    """What one currency is in another, from when on."""

    form_class = ExchangeForm
    template_name = "operator/exchange.html"
    right = May.PRICES
    right_to_see = False
    heading = gettext_lazy("Prices")
    verb = gettext_lazy("Enter")

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        now = timezone.now()
        return {
            "tabs": price_tabs(self.request),
            "pairs": exchange.pairs_now(now),
            "may": self.viewer.may(May.PRICES),
        }

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        set_exchange_rate(
            data["base"].upper(),
            data["quote"].upper(),
            data["rate"],
            actor=self.viewer.actor,
            valid_from=data["valid_from"],
            replace=data["replace"],
        )
        return self.go("exchange", said=_("The exchange rate is entered."))


class ExchangePair(OperatorView):
    """The history of one pair: a line, and every rate with where it came from."""

    template_name = "operator/exchange_pair.html"

    def get(self, request: HttpRequest, base: str, quote: str, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = exchange.rows(base, quote)
        newest = list(rows[:CHART_ROWS])
        if not newest:
            raise NotFound("no_pair", _("No exchange rate was entered for these currencies."))
        page = page_of(rows, request.GET, key="valid_from", parse=_moment)
        drawn = newest[::-1]
        series = charts.Series(f"1 {base}", [one.rate for one in drawn], [price_text(one.rate) for one in drawn])
        title = _("%(quote)s for 1 %(base)s") % {"base": base, "quote": quote}
        days = [utc_day_text(one.valid_from) for one in drawn]
        chart = charts.bars("pair", title, days, [series], shape="line", from_zero=False)
        said = exchange.Exchange(timezone.now()).said(base, quote)
        return self.page(
            base=base,
            quote=quote,
            page=page,
            chart=chart if len(drawn) > 1 else None,
            said=said,
            newest=newest[0],
        )


def _moment(text: str) -> Any:
    return forms.DateTimeField().to_python(text)


class ExchangeFileForm(forms.Form):
    """A bank's file; nothing is written before the next page."""

    file = forms.FileField(
        label=gettext_lazy("File of exchange rates"),
        widget=forms.FileInput(attrs={"accept": ".xml,.csv,.zip"}),
        help_text=gettext_lazy(
            "As the European Central Bank gives it out: eurofxref-daily.xml, eurofxref-hist.xml, or its CSV or ZIP."
        ),
    )
    since = forms.DateField(
        label=gettext_lazy("Days from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Empty: every day in the file. A history goes back to 1999."),
    )


class UploadExchange(OperatorForm):
    """First step: the file. It is read and kept; nothing is written yet."""

    form_class = ExchangeFileForm
    right = May.PRICES
    heading = gettext_lazy("Import exchange rates")
    verb = gettext_lazy("Read the file")
    lead = gettext_lazy(
        "The next page shows what would change. The rate of a day holds from the beginning of that day (UTC)."
    )

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:exchange")

    def save(self, form: Any) -> HttpResponse:
        file, since = form.cleaned_data["file"], form.cleaned_data["since"]
        about = since.isoformat() if since else ""
        kept = staging.stage(self.request, STAGED, file.name, file.chunks(), MOST_BYTES, about)
        return self.go("exchange_file", kept.id)


class ExchangeFile(OperatorView):
    """Second step: what would change; then the import, with an answer where calls were rated by what stands."""

    template_name = "operator/exchange_file.html"
    right = May.PRICES
    right_to_see = True

    def get(self, request: HttpRequest, file: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        kept = staging.staged(request, STAGED, file)
        try:
            result = self.bring(kept, dry_run=True)
        except TollgateError as error:
            return self.page(file=kept, refused=sentence(error))
        return self.page(file=kept, result=result)

    def post(self, request: HttpRequest, file: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        kept = staging.staged(request, STAGED, file)
        answer = request.POST.get("differing", "")
        try:
            result = self.bring(kept, differing=answer if answer in (KEEP, REPLACE) else "")
        except (TollgateError, RatesAsked) as error:
            messages.error(request, error.text if isinstance(error, RatesAsked) else sentence(error))
            return HttpResponseRedirect(request.path)
        staging.forget(request, kept)
        counts = {name: getattr(result, name) for name in ("added", "changed", "kept", "unchanged")}
        said = _("%(added)d rates added, %(changed)d corrected, %(kept)d left as they stood, %(unchanged)d unchanged.")
        return self.go("exchange", said=said % counts)

    def bring(self, kept: staging.StagedFile, **how: Any) -> Any:
        since = date.fromisoformat(kept.about) if kept.about else None
        return import_rates(kept.path.read_bytes(), actor=self.viewer.actor, since=since, **how)
