"""How a source's files are to be read, said by example: a sample, its columns, and the first calls as they come out."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.operator.base import OperatorView
from billing.portals.views import REFUSED, explain
from rating.models import Source
from rating.selectors import usage
from rating.services.chunk_work import CLOCKS_ALLOWED
from rating.services.sources import update_source
from rating.usage.lines import HEAD_BYTES, decode_head
from rating.usage.mapping import FIELDS, FIXED, ORDERED
from rating.usage.preview import columns_of, preview, ruler
from rating.usage.reading import AUTO
from tiers.errors import TollgateError
from tiers.roles import May

MOST_SAMPLE_CHARS = 40_000
LABELS = {
    "to": gettext_lazy("Number called"),
    "started_at": gettext_lazy("Start"),
    "seconds": gettext_lazy("Duration"),
    "account": gettext_lazy("Account code"),
    "from": gettext_lazy("Caller"),
    "disposition": gettext_lazy("How it ended"),
    "answered_at": gettext_lazy("Time of answer"),
    "ended_at": gettext_lazy("End"),
    "call_id": gettext_lazy("Call id"),
    "leg": gettext_lazy("Leg"),
    "carrier": gettext_lazy("Carrier or trunk"),
    "direction": gettext_lazy("Direction"),
    "src_ip": gettext_lazy("IP address"),
    "src_port": gettext_lazy("Port"),
    "user_agent": gettext_lazy("Device"),
    "reference": gettext_lazy("Cost by the switch (reference)"),
}
FIRST = ("to", "started_at", "seconds", "account", "from", "disposition")
FORMAT_CHOICES = [
    ("delimited", gettext_lazy("columns parted by a mark (CSV)")),
    ("fixed", gettext_lazy("columns of fixed width")),
    ("asterisk_custom", gettext_lazy("Asterisk cdr_custom, in an order of its own")),
    ("acc", gettext_lazy("Kamailio or OpenSIPS acc, with columns of its own")),
    ("3cx", gettext_lazy("3CX, in an order of its own")),
]
MARKS = [
    ("", gettext_lazy("find it")),
    (",", gettext_lazy("comma")),
    (";", gettext_lazy("semicolon")),
    ("\t", gettext_lazy("tab")),
    ("|", gettext_lazy("bar")),
]
UNIT_CHOICES = [
    ("s", gettext_lazy("seconds")),
    ("ms", gettext_lazy("milliseconds")),
    ("min", gettext_lazy("minutes")),
    ("clock", gettext_lazy("h:mm:ss")),
]


class MappingForm(forms.Form):
    """A mapping as fields of text. Columns are said as `3`, `Duration`, `1 + 2`, or `10-22` for characters."""

    more: ClassVar[tuple[str, ...]] = (
        *("delimiter", "skip_lines", "decimal", "in_words", "out_words", "internal_words"),
        *(f"at_{name}" for name in FIELDS if name not in FIRST),
        *("trailer_begins", "trailer_count", "trailer_seconds"),
    )

    sample = forms.CharField(required=False, max_length=MOST_SAMPLE_CHARS, widget=forms.HiddenInput, strip=False)
    file = forms.FileField(
        label=gettext_lazy("Sample"),
        required=False,
        help_text=gettext_lazy("A file of this source. Only its first lines are looked at; nothing is charged."),
    )
    format = forms.ChoiceField(label=gettext_lazy("Kind of file"), choices=FORMAT_CHOICES)
    order = forms.CharField(
        label=gettext_lazy("Names of the columns, in their order"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "tg-mono"}),
        help_text=gettext_lazy("For Asterisk, acc and 3CX: the switch's own names, parted by commas."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*FIRST, *(name for name in FIELDS if name not in FIRST)):
            self.fields[f"at_{name}"] = _column(LABELS[name])
        self.fields["at_to"].help_text = _(
            "The number of the column from 1, or its name in the header; for fixed width the characters, as 10-22."
            " Join two with a plus: 1 + 2."
        )
        self.fields.update(_rules())


def _column(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=300, widget=forms.TextInput(attrs={"list": "columns"})
    )


def _rules() -> dict[str, forms.Field]:
    """How values are written; made anew for each form."""

    def words(label: Any, help_text: Any = "") -> forms.CharField:
        return forms.CharField(label=label, required=False, max_length=1000, help_text=help_text)

    return {
        "times": forms.CharField(
            label=_("Times are written"),
            required=False,
            max_length=64,
            help_text=_("As %d.%m.%Y %H:%M:%S; nothing for 2026-10-31 23:59:59 or epoch seconds."),
        ),
        "unit": forms.ChoiceField(label=_("Durations are"), choices=UNIT_CHOICES),
        "answered": words(_("Words for an answered call"), _("Parted by commas; nothing: the usual ones.")),
        "delimiter": forms.ChoiceField(label=_("Mark between columns"), choices=MARKS, required=False),
        "skip_lines": forms.IntegerField(label=_("Lines before the calls"), min_value=0, max_value=1000, initial=0),
        "decimal": forms.ChoiceField(
            label=_("Decimal sign"), choices=[(".", _("point")), (",", _("comma"))], required=False
        ),
        "in_words": words(_("Words for an incoming call")),
        "out_words": words(_("Words for an outgoing call")),
        "internal_words": words(_("Words for an internal call")),
        "trailer_begins": words(
            _("The line with the totals begins"),
            _("Then a file without it, or with other totals, is refused before anything is charged."),
        ),
        "trailer_count": _column(_("Number of calls in it")),
        "trailer_seconds": _column(_("Duration of all calls in it")),
    }


class SourceMapping(OperatorView):
    """Three deeds: show what a sample becomes, save the mapping, take it away."""

    template_name = "operator/mapping.html"
    right = May.USAGE
    right_to_see = True

    def get(self, request: HttpRequest, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        source = usage.source_by_code(self.viewer, code)
        return self._shown(source, MappingForm(initial=_initial(source.mapping)), {})

    def post(self, request: HttpRequest, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        source = usage.source_by_code(self.viewer, code)
        if "remove" in request.POST:
            update_source(source, actor=self.viewer.actor, mapping={})
            return self.go("source", code, said=_("Files of %s are recognised by their content again.") % source.name)
        form = MappingForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._shown(source, form, {}, status=REFUSED)
        mapping = _mapping(form.cleaned_data)
        if file := request.FILES.get("file"):
            data = request.POST.copy()
            data["sample"] = "\n".join(decode_head(file.read(HEAD_BYTES)))[:MOST_SAMPLE_CHARS]
            form.data = data
        elif "save" in request.POST:
            try:
                update_source(source, actor=self.viewer.actor, mapping=mapping, format=AUTO)
                return self.go(
                    "source", code, said=_("Files of %s are read by this mapping from now on.") % source.name
                )
            except TollgateError as error:
                error.where = _field_of(error.where or "")
                explain(form, error)
                return self._shown(source, form, mapping, status=REFUSED)
        return self._shown(source, form, mapping)

    def _shown(self, source: Source, form: MappingForm, mapping: dict[str, Any], status: int = 200) -> HttpResponse:
        lines = str(form["sample"].value() or "").splitlines()
        kind = str(form["format"].value() or "delimited")
        context: dict[str, Any] = {"columns": columns_of(lines, kind, mapping.get("delimiter", ""))}
        if lines and kind == FIXED:
            context |= {"ruler": ruler(lines), "plain": "\n".join(lines[:12])}
        if lines and mapping and "columns" in mapping:
            zone, latest = ZoneInfo(source.time_zone), timezone.now() + CLOCKS_ALLOWED
            context["found"] = preview(lines, mapping, zone, not_after=latest)
        back = reverse("operator:source", args=[source.code])
        return self.page(status=status, source=source, form=form, back=back, hide_optional=True, **context)


def _mapping(given: dict[str, Any]) -> dict[str, Any]:
    """The form as a mapping; what is wrong in it is for the service to say."""
    kind = given["format"]
    if kind in ORDERED:
        return {"format": kind, "columns": _words(given["order"])}
    columns = {name: _places(given[f"at_{name}"], kind) for name in FIELDS if given[f"at_{name}"].strip()}
    made: dict[str, Any] = {"format": kind, "columns": columns, "skip_lines": given["skip_lines"] or 0}
    for name in ("delimiter", "times", "unit", "decimal"):
        if given[name]:
            made[name] = given[name]
    if given["answered"]:
        made["answered"] = _words(given["answered"])
    sides = {"in": given["in_words"], "out": given["out_words"], "internal": given["internal_words"]}
    if any(sides.values()):
        made["directions"] = {word: side for side, text in sides.items() for word in _words(text)}
    if given["trailer_begins"]:
        made["trailer"] = {"begins": given["trailer_begins"]}
        for name in ("count", "seconds"):
            if given[f"trailer_{name}"]:
                made["trailer"][name] = _place(given[f"trailer_{name}"].strip(), kind)
    return made


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", ",").split(",") if word.strip()]


def _places(text: str, kind: str) -> Any:
    found = [_place(part.strip(), kind) for part in text.split(" + ") if part.strip()]
    return found[0] if len(found) == 1 else found


def _place(text: str, kind: str) -> int | str:
    return int(text) if kind != FIXED and text.isascii() and text.isdigit() and len(text) < 6 else text


def _initial(mapping: dict[str, Any]) -> dict[str, Any]:
    """A stored mapping as the form shows it."""
    if not mapping:
        return {}
    columns = mapping.get("columns", {})
    if mapping["format"] in ORDERED:
        return {"format": mapping["format"], "order": ", ".join(columns)}
    plain = ("format", "delimiter", "skip_lines", "times", "unit", "decimal")
    shown: dict[str, Any] = {name: mapping[name] for name in plain if name in mapping}
    for name, places in columns.items():
        shown[f"at_{name}"] = " + ".join(str(place) for place in (places if isinstance(places, list) else [places]))
    shown["answered"] = ", ".join(mapping.get("answered", []))
    for side in ("in", "out", "internal"):
        words = [word for word, value in mapping.get("directions", {}).items() if value == side]
        shown[f"{side}_words"] = ", ".join(words)
    for name, value in mapping.get("trailer", {}).items():
        shown[f"trailer_{name}"] = value
    return shown


def _field_of(where: str) -> str:
    """The form's field for a place in the mapping."""
    path = where.removeprefix("mapping.")
    if path.startswith("columns."):
        return f"at_{path.removeprefix('columns.')}"
    return {"columns": "order", "directions": "in_words", "trailer": "trailer_begins"}.get(path, path.replace(".", "_"))
