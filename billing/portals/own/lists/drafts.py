"""How a list follows its base: the draft that shows what would change, its publication, and the choice between ways."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import moment_text
from billing.portals.filters import Filters
from billing.portals.losses import AsksAboutLoss
from billing.portals.own.lists.base import ListView, Slice
from billing.portals.views import Act, FormPage
from invoicing.render.calls_csv import safe_text
from rating.models import Follows
from rating.selectors.differences import Difference, Kind
from rating.selectors.drafts import Draft, publications
from rating.services.publishing import cancel_publication, publish, set_follows
from tiers.errors import NotFound
from tiers.roles import May

HEADER = ("Prefix", "Destination", "Change", "Calls", "From", "Old price {c}", "New price {c}", "Difference %")


def moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class DraftFilters(Filters):
    noun = gettext_lazy("Changes")
    phrases: ClassVar[dict[str, Any]] = {
        "kind": gettext_lazy("%s"),
        "q": gettext_lazy("to “%s”"),
        "at": gettext_lazy("if published from %s"),
    }
    kind = forms.ChoiceField(label=gettext_lazy("Which"), choices=[("", gettext_lazy("all")), *Kind.choices])
    q = forms.CharField(label=gettext_lazy("Prefix or destination"), max_length=60)
    at = forms.DateTimeField(label=gettext_lazy("If published from"), widget=moment_input())

    def words(self, name: str) -> str:
        return moment_text(self.value(name)) if name == "at" else super().words(name)


class DraftView(ListView):
    @cached_property
    def filters(self) -> DraftFilters:
        return DraftFilters(self.request)

    @cached_property
    def draft(self) -> Draft:
        if not (self.price_list.base_table_id or self.price_list.base_list_id):
            raise NotFound("no_draft", _("A list without a base has no draft."))
        now = timezone.now()
        at: datetime | None = self.filters.value("at")
        return Draft(self.price_list, max(at, now) if at else now, self.engine)

    @property
    def found(self) -> list[Difference]:
        return self.draft.filtered(kind=self.filters.value("kind") or "", text=self.filters.value("q") or "")


class DraftPage(DraftView):
    """What would change, the largest figures first read as counts, each price with its difference."""

    template_name = "own/list_draft.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        counts = self.draft.counts
        answer: HttpResponse = self.list_page(
            filters=self.filters,
            total=sum(counts.values()),
            counts=[(Kind(kind).label, count, kind) for kind, count in counts.items() if count],
            page=Slice(self.found, request.GET, key=_key),
            publications=publications(self.viewer, self.price_list),
            now=timezone.now(),
            automatic=self.price_list.follows == Follows.AUTOMATIC,
            query=request.GET.urlencode(),
        )
        return answer


def _key(one: Difference) -> str:
    return f"{one.prefix} {one.since.isoformat()} {one.service_class or ''}"


class DraftFile(DraftView):
    """Exactly what is filtered, as CSV."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = StreamingHttpResponse(self.lines(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.price_list.code}-draft.csv"'
        return response

    def lines(self) -> Iterator[str]:
        writer = csv.writer(_Echo())
        currency = self.price_list.currency
        yield writer.writerow([name.format(c=currency) for name in HEADER])
        for one in self.found:
            share = "" if one.share is None else f"{one.share * 100:.2f}"
            since = one.since.isoformat(timespec="seconds")
            kind, calls = one.kind.value, one.service_class.value if one.service_class else ""
            old, new = ("" if price is None else f"{price.normalize():f}" for price in (one.old, one.new))
            yield writer.writerow([one.prefix, safe_text(one.destination), kind, calls, since, old, new, share])


class _Echo:
    def write(self, text: str) -> str:
        return text


class PublishForm(forms.Form):
    valid_from = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=moment_input(),
        help_text=gettext_lazy("Empty: from now on. Never backwards: calls already made keep their prices."),
    )


class Publish(AsksAboutLoss, ListView, FormPage):
    form_class = PublishForm
    right = May.PRICES
    own_only = True
    verb = gettext_lazy("Publish")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Publish %s") % self.price_list.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        counts = Draft(self.price_list, timezone.now(), self.engine).counts
        if not any(counts.values()):
            return _("No price would change. The list then counts as looked at.")
        told = ", ".join(f"{count} {Kind(kind).label}" for kind, count in counts.items() if count)
        return _("Prices that change: %s. What is planned for a later day than this is superseded.") % told

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("list_draft")

    def save(self, form: Any) -> HttpResponse:
        made = publish(
            self.price_list,
            actor=self.viewer.actor,
            valid_from=form.cleaned_data["valid_from"],
            accept_loss=self.accepted,
        )
        return self.go("list", self.price_list.code, said=_("Published from %s on.") % moment_text(made.valid_from))


class CancelPublication(ListView, Act):
    right = May.PRICES
    own_only = True
    danger = True
    verb = gettext_lazy("Take it back")

    @cached_property
    def moment(self) -> datetime:
        known = publications(self.viewer, self.price_list)
        found = [one.valid_from for one in known if one.pk == self.kwargs["publication"]]
        if not found:
            raise NotFound("no_publication", _("There is no such publication here."))
        return found[0]

    def question(self) -> str:
        return _("Take back the publication of %s?") % moment_text(self.moment)

    def consequence(self) -> str:
        return _("Prices go on as they were published before. The draft can be published again.")

    def back(self) -> str:
        return self.url("list_draft")

    def act(self) -> HttpResponse:
        cancel_publication(self.price_list, self.moment, actor=self.viewer.actor)
        return self.go("list_draft", self.price_list.code, said=_("Taken back."))


class FollowForm(forms.Form):
    follows = forms.ChoiceField(
        label=gettext_lazy("When the base or an exchange rate changes"),
        widget=forms.RadioSelect,
        choices=[
            (Follows.PUBLICATION, gettext_lazy("show a draft; prices move when somebody publishes it")),
            (Follows.AUTOMATIC, gettext_lazy("move at once, from the date of each change on")),
        ],
    )


class SetFollows(ListView, FormPage):
    form_class = FollowForm
    right = May.PRICES
    own_only = True
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("How %s follows its base") % self.price_list.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        return _(
            "From now on. What changed since the last publication comes into force at once if it follows automatically."
        )

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("list")

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"follows": self.price_list.follows}}

    def save(self, form: Any) -> HttpResponse:
        changed = set_follows(self.price_list, form.cleaned_data["follows"], actor=self.viewer.actor)
        return self.go("list", self.price_list.code, said=_("Saved.") if changed else _("Nothing was changed."))
