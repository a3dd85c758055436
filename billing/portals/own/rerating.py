"""Re-rating, as the operator and a dealer both do it: choose a period, see what would change, say yes, see it posted.

A dealer's run touches what it and its own dealers sell; what it buys itself is its seller's to correct.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import day_text
from billing.portals.forms.money import date_input
from billing.portals.keyset import page_of
from billing.portals.views import Act, FormPage, PortalView
from rating.models import PriceList, RerateRun, RerateStatus, Source
from rating.selectors import drafts, prices, reratings, usage
from rating.services.rerating import Selection, accept, open_run
from rating.tasks import work_rerating
from tiers.errors import NotFound
from tiers.models import Party
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer

COUNT_LABELS = {
    "up": gettext_lazy("Dearer for the customer"),
    "down": gettext_lazy("Cheaper for the customer"),
    "inside": gettext_lazy("Only between sellers"),
    "unchanged": gettext_lazy("Unchanged"),
    "unrated": gettext_lazy("Had no price"),
    "rated": gettext_lazy("Had no price, now charged"),
    "prepaid": gettext_lazy("Left out: a prepaid increase without a yes"),
    "unpriced": gettext_lazy("Left as charged: no price any more"),
    "uncharged": gettext_lazy("Left as charged: its number is read differently now"),
    "chain": gettext_lazy("Left as charged: its seller's chain changed above you"),
}
ALWAYS = ("up", "down", "inside", "unchanged")
CARE = {"prepaid", "unpriced", "uncharged", "chain", "unrated"}


class RerateForm(forms.Form):
    more: ClassVar[tuple[str, ...]] = ("price_list", "customer", "source")

    since = forms.DateField(label=gettext_lazy("From day"), widget=date_input())
    until = forms.DateField(
        label=gettext_lazy("To day"), widget=date_input(), help_text=gettext_lazy("This day included, in your zone.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Shown with each call that changes, also to those who bought it."),
    )
    price_list = forms.ModelChoiceField(
        label=gettext_lazy("Only calls of the list"), queryset=PriceList.visible.none(), required=False
    )
    customer = forms.CharField(label=gettext_lazy("Only of the dealer or customer (code)"), required=False)
    source = forms.ModelChoiceField(
        label=gettext_lazy("Only from the source"), queryset=Source.visible.none(), required=False
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        for name, rows in (("price_list", prices.lists(viewer)), ("source", usage.sources(viewer))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean_customer(self) -> Party | None:
        code = self.cleaned_data["customer"].strip()
        try:
            return people.party_by_code(self.viewer, code) if code else None
        except NotFound as error:
            raise forms.ValidationError(error.message) from error

    def selection(self) -> Selection:
        """Days of the zone that is active, the last one included."""
        given = self.cleaned_data
        return Selection(
            party=self.viewer.party,
            start=_midnight(given["since"]),
            end=_midnight(given["until"] + timedelta(days=1)),
            reason=given["reason"],
            price_list=given["price_list"],
            customer=given["customer"],
            source=given["source"],
        )


def _midnight(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())


def words(run: RerateRun) -> str:
    """ "Calls from 5 Oct 2026 to 11 Oct 2026 of Harbour Voice, from Northstar switch"."""
    last = run.period_to - timedelta(microseconds=1)
    parts = [
        _("Calls from %(first)s to %(last)s") % {"first": day_text(run.period_from), "last": day_text(last)},
        _("of %s") % run.customer.name if run.customer else "",
        _("by the list %s") % run.price_list.name if run.price_list else "",
        _("from %s") % run.source.name if run.source else "",
    ]
    return ", ".join(filter(None, parts))


class Runs(PortalView):
    """All runs, newest first."""

    template_name = "own/reratings.html"

    def tabs(self) -> Any:
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(reratings.runs(self.viewer), request.GET)
        lines = [(run, words(run)) for run in page.rows]
        may = self.viewer.may(May.PRICES)
        return self.page(tabs=self.tabs(), page=page, lines=lines, portal=self.kind, may=may)


class NewRun(FormPage):
    """Choose the calls; comparing begins at once and posts nothing."""

    form_class = RerateForm
    right = May.PRICES
    heading = gettext_lazy("Rate past calls again")
    verb = gettext_lazy("Compare")
    lead = gettext_lazy(
        "The calls are priced as they would be today. You see every difference; nothing is posted until you say so."
    )

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:reratings")

    def form_arguments(self) -> dict[str, Any]:
        return {"viewer": self.viewer}

    def save(self, form: Any) -> HttpResponse:
        run = open_run(form.selection(), actor=self.viewer.actor)
        transaction.on_commit(partial(work_rerating.delay, str(run.pk)))
        return self.go("rerating", run.pk)


class OneRun(PortalView):
    @cached_property
    def run(self) -> RerateRun:
        return reratings.run_by_id(self.viewer, self.kwargs["run"])


class RunPage(OneRun):
    """What would change, or did, at every tier."""

    template_name = "own/rerating.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        run = self.run
        increases = reratings.increases(run)
        return self.page(
            run=run,
            words=words(run),
            portal=self.kind,
            counts=counts(run),
            changed=sum(run.counts.get(name, 0) for name in ("up", "down", "inside")),
            tiers=reratings.by_tier(run),
            largest=reratings.largest(run),
            increases=increases,
            ready=run.status == RerateStatus.READY,
            unpublished=drafts.pending(self.viewer) if run.status == RerateStatus.READY else [],
            posted=run.status in (RerateStatus.APPLYING, RerateStatus.DONE),
            again=run.status == RerateStatus.FAILED and bool(run.applied_by),
            may=self.viewer.may(May.MONEY),
            progress_words=progress_words(run),
        )


class RunProgress(OneRun):
    """The moving part of the page; once finished, the page itself is shown anew."""

    template_name = "own/rerating_progress.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.page(run=self.run, portal=self.kind, progress_words=progress_words(self.run))
        if self.run.finished:
            response["HX-Refresh"] = "true"
        return response


class PostRun(OneRun, Act):
    """The yes: corrections are posted, with the prepaid increases that were ticked."""

    right: ClassVar[May | None] = May.MONEY
    verb = gettext_lazy("Post the corrections")

    def question(self) -> str:
        return _("Post the corrections of this re-rating?")

    def consequence(self) -> str:
        return _("Increases for prepaid buyers are left out from here; tick them on the page of the re-rating.")

    def back(self) -> str:
        return reverse(f"{self.kind}:rerating", args=[self.run.pk])

    def act(self) -> HttpResponse:
        known = {one.party for one in reratings.increases(self.run)}
        ticked = [UUID(key) for key in self.request.POST.getlist("increase") if key in known]
        accept(self.run, actor=self.viewer.actor, increases=ticked)
        transaction.on_commit(partial(work_rerating.delay, str(self.run.pk)))
        return self.go("rerating", self.run.pk)


def counts(run: RerateRun) -> list[tuple[str, Any, int, bool]]:
    """(name, label, number, whether it needs a look) of each that is there or always shown."""
    return [
        (name, label, run.counts.get(name, 0), name in CARE)
        for name, label in COUNT_LABELS.items()
        if name in ALWAYS or run.counts.get(name)
    ]


def progress_words(run: RerateRun) -> str:
    if run.finished:
        return str(run.get_status_display())
    return _("%(state)s: %(share)d%% of the period") % {"state": run.get_status_display(), "share": run.share}
