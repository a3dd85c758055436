"""Usage: files in with their progress, what became of each line, the sources that send them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.keyset import page_of
from billing.portals.operator.base import OperatorForm, OperatorView
from billing.portals.own.dial_plans import PlanPage, TryNumbers
from billing.portals.tabs import Tab, tabs
from rating.models import Carrier, Source, UsageImport
from rating.selectors import prices, usage
from rating.services.dial_plans import set_source_plan
from rating.services.folders import folder_state
from rating.services.receiving import receive_all
from rating.services.sources import create_source, update_source
from rating.tasks import work_import
from rating.usage.registry import ADAPTERS
from tiers.models.party import code_validator
from tiers.roles import May
from tiers.selectors import people

TOLD_SHOWN = 10
FORMATS = [("auto", gettext_lazy("recognise it")), *((name, name) for name in sorted(ADAPTERS))]


class UsageView(OperatorView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Imports"), reverse("operator:usage")),
            (gettext_lazy("Quarantine"), reverse("operator:quarantine")),
            (gettext_lazy("Waiting"), reverse("operator:waiting")),
            (gettext_lazy("Sources"), reverse("operator:sources")),
            (gettext_lazy("Read numbers"), reverse("operator:numbers")),
        )


class Imports(UsageView):
    template_name = "operator/imports.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(usage.imports(self.viewer), request.GET)
        progress = usage.progress_of(page.rows)
        lines = [(one, progress[one.pk]) for one in page.rows]
        return self.page(tabs=self.tabs(), page=page, lines=lines)


class UploadForm(forms.Form):
    source = forms.ModelChoiceField(
        label=gettext_lazy("Source"),
        queryset=Source.visible.none(),
        help_text=gettext_lazy("Its time zone and dial plan say how times and numbers are read."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("As the switch wrote it; gz and zip too. The same file twice charges nothing twice."),
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=FORMATS, required=False)

    def __init__(self, *args: Any, sources: QuerySet[Source], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["source"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = sources
        field.initial = sources.first()


class Upload(OperatorForm):
    form_class = UploadForm
    right = May.USAGE
    heading = gettext_lazy("Import usage")
    verb = gettext_lazy("Import")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:usage")

    def form_arguments(self) -> dict[str, Any]:
        return {"sources": usage.sources(self.viewer).filter(active=True)}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        file = data["file"]
        format = data["format"] if data["format"] not in ("", "auto") else ""
        made = receive_all(data["source"], file.chunks(), file.name, actor=self.viewer.actor, format=format)
        for one in made:
            transaction.on_commit(partial(work_import.delay, str(one.pk)))
        if len(made) > 1:
            return self.go("usage", said=_("%d files came in.") % len(made))
        return self.go("import", made[0].pk)


class ImportPage(UsageView):
    template_name = "operator/import.html"

    def get(self, request: HttpRequest, usage_import: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = usage.import_by_id(self.viewer, usage_import)
        page = page_of(usage.quarantine(self.viewer, found), request.GET, newest_first=False)
        told = list(usage.told_otherwise(self.viewer, found).order_by("id")[: TOLD_SHOWN + 1])
        more = len(told) > TOLD_SHOWN
        return self.page(found=found, page=page, told=told[:TOLD_SHOWN], more=more, **progress_words(found))


class ToldOtherwise(UsageView):
    """All live calls of which a file says something else than was known."""

    template_name = "operator/told_otherwise.html"

    def get(self, request: HttpRequest, usage_import: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = usage.import_by_id(self.viewer, usage_import)
        page = page_of(usage.told_otherwise(self.viewer, found), request.GET, newest_first=False)
        return self.page(found=found, page=page)


class ImportProgress(OperatorView):
    """The moving part of an import's page; once done, the page itself is shown anew."""

    template_name = "operator/import_progress.html"

    def get(self, request: HttpRequest, usage_import: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = usage.import_by_id(self.viewer, usage_import)
        context = progress_words(found)
        response = self.page(found=found, **context)
        if context["progress"].finished:
            response["HX-Refresh"] = "true"
        return response


def progress_words(found: UsageImport) -> dict[str, Any]:
    progress = usage.progress_of([found])[found.pk]
    if progress.finished:
        words = found.get_status_display()
    elif progress.of:
        words = _("%(share)d%%: %(read)d of %(lines)d lines") % {
            "share": progress.share,
            "read": progress.counts["read"],
            "lines": found.lines,
        }
    else:
        words = _("Reading the file")
    return {"progress": progress, "words": words, "counts": list(_counts(progress.counts))}


COUNT_LABELS = {
    "rated": gettext_lazy("Rated"),
    "unrated": gettext_lazy("Unrated"),
    "free": gettext_lazy("Not charged"),
    "duplicate": gettext_lazy("Duplicate"),
    "quarantined": gettext_lazy("Quarantined"),
    "waiting": gettext_lazy("Waiting for its other half"),
    "joined": gettext_lazy("Joined into another"),
    "reconciled": gettext_lazy("Live calls, charged already"),
}
SELDOM = {"waiting", "joined", "reconciled"}


def _counts(counts: dict[str, int]) -> Any:
    """(name, label, count) of each, the seldom ones only where there are any."""
    for name, label in COUNT_LABELS.items():
        if counts[name] or name not in SELDOM:
            yield name, label, counts[name]


class Quarantine(UsageView):
    template_name = "operator/quarantine.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(usage.quarantine(self.viewer), request.GET)
        return self.page(tabs=self.tabs(), page=page)


class Waiting(UsageView):
    """Parts of calls whose other part has not come."""

    template_name = "operator/waiting.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=self.tabs(), page=page_of(usage.waiting(self.viewer), request.GET))


class Sources(UsageView):
    template_name = "operator/sources.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=self.tabs(), sources=usage.sources(self.viewer))


class SourceForm(forms.Form):
    more: ClassVar[tuple[str, ...]] = ("carrier", "customer", "active")

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    code = forms.CharField(label=gettext_lazy("Code"), max_length=32, validators=[code_validator])
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[(zone, zone) for zone in sorted(available_timezones())],
        initial="UTC",
        help_text=gettext_lazy("For times in its files that name no zone."),
    )
    home_country = forms.CharField(
        label=gettext_lazy("Home country"),
        min_length=2,
        max_length=2,
        required=False,
        help_text=gettext_lazy(
            "Two letters, such as HK: numbers without a country code are its own. Empty: as the brand."
        ),
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=FORMATS, required=False)
    carrier = forms.ModelChoiceField(
        label=gettext_lazy("Carrier"),
        queryset=Carrier.visible.none(),
        required=False,
        help_text=gettext_lazy("Where a record names none."),
    )
    customer = forms.CharField(
        label=gettext_lazy("Customer (code)"),
        max_length=32,
        required=False,
        help_text=gettext_lazy("For a switch in one customer's house: calls that name nobody known are this one's."),
    )
    active = forms.BooleanField(label=gettext_lazy("Active"), required=False, initial=True)

    def __init__(self, *args: Any, carriers: QuerySet[Carrier], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["carrier"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = carriers


class SourcePage(OperatorForm):
    """A new source, or (with a code) one that stands."""

    form_class = SourceForm
    template_name = "operator/source.html"
    right = May.USAGE
    verb = gettext_lazy("Save")

    @property
    def source(self) -> Source | None:
        code = self.kwargs.get("code")
        return usage.source_by_code(self.viewer, code) if code else None

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.source.name if self.source else _("New source")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:sources")

    def form(self, *data: Any) -> forms.Form:
        form = super().form(*data)
        if self.source:
            form.fields["code"].disabled = True
        return form

    def form_arguments(self) -> dict[str, Any]:
        source = self.source
        initial: dict[str, Any] = {}
        if source:
            names = ("name", "code", "time_zone", "format", "carrier", "active")
            initial = {name: getattr(source, name) for name in names}
            initial["customer"] = source.customer.code if source.customer else ""
            initial["home_country"] = source.dial_plan.get("home_country", "")
        return {"carriers": prices.carriers(self.viewer), "initial": initial}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        source = self.source
        return {"source": source, "folder": folder_state(source) if source else None}

    def save(self, form: Any) -> HttpResponse:
        data = dict(form.cleaned_data)
        code, name = data.pop("code"), data.pop("name")
        plan = self.source.dial_plan if self.source else {}
        country = data.pop("home_country").upper()
        data["dial_plan"] = {**plan, "home_country": country} if country else {}
        data["format"] = data["format"] or "auto"
        data["customer"] = people.party_by_code(self.viewer, data["customer"]) if data["customer"] else None
        if self.source:
            update_source(self.source, actor=self.viewer.actor, name=name, **data)
        else:
            create_source(self.viewer.party, code, name, actor=self.viewer.actor, **data)
        return self.go("sources", said=_("%s is saved.") % name)


class SourcePlan(OperatorView, PlanPage):
    """The dial plan of a source, in fields."""

    right = May.USAGE
    lead = gettext_lazy("How numbers in its files are read, from the next file on.")

    @property
    def source(self) -> Source:
        return usage.source_by_code(self.viewer, self.kwargs["code"])

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Dial plan of %s") % self.source.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:source", args=[self.kwargs["code"]])

    @property
    def try_url(self) -> str:  # type: ignore[override]
        return reverse("operator:numbers")

    def key(self) -> str:
        return f"source:{self.kwargs['code']}"

    def standing(self) -> dict[str, Any]:
        return dict(self.source.dial_plan)

    def save(self, form: Any) -> HttpResponse:
        set_source_plan(self.source, form.plan(), actor=self.viewer.actor)
        return self.go("source", self.kwargs["code"], said=_("The dial plan is saved."))


class Numbers(UsageView, TryNumbers):
    """Numbers by any dial plan of the house."""
