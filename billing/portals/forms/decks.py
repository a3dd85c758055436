"""Forms about decks: the file, the answers to what has two readings, which column is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.prices import moment_input
from rating.decks import Question, Sample
from rating.decks.examples import example

ROLES: dict[str, Any] = {
    "code": gettext_lazy("Code (prefix)"),
    "price": gettext_lazy("Price per minute"),
    "name": gettext_lazy("Destination"),
    "country": gettext_lazy("Country"),
    "network": gettext_lazy("Network"),
    "country_code": gettext_lazy("Country code"),
    "area_code": gettext_lazy("Area code"),
    "billing": gettext_lazy("Increments, 60/1"),
    "first": gettext_lazy("First increment"),
    "step": gettext_lazy("Following increment"),
    "effective": gettext_lazy("In force from"),
    "ends": gettext_lazy("Ends"),
    "status": gettext_lazy("Change or status"),
    "comment": gettext_lazy("Comment"),
    "connect_fee": gettext_lazy("Connection charge"),
    "min_charge": gettext_lazy("Minimum charge"),
    "grace": gettext_lazy("Grace seconds"),
    "free": gettext_lazy("Free seconds"),
    "discontinued": gettext_lazy("Closed (yes or no)"),
    "forbidden": gettext_lazy("Barred (yes or no)"),
    "currency": gettext_lazy("Currency"),
    "price_first": gettext_lazy("Price of the first interval"),
}
QUESTIONS: dict[str, Any] = {
    "hyphen": gettext_lazy("What does a hyphen between codes mean here?"),
    "date_order": gettext_lazy("Which comes first in its dates, the day or the month?"),
    "decimal_mark": gettext_lazy("Which mark stands before the decimals?"),
    "price_unit": gettext_lazy("In which unit are the prices?"),
    "codes": gettext_lazy("Codes stand beside a country code. Do they go after it?"),
    "price_column": gettext_lazy("More than one column holds a price. Which one is to be paid?"),
    "code_column": gettext_lazy("More than one column may hold the codes. Which one?"),
    "sheet": gettext_lazy("More than one sheet may hold the rates. Which one?"),
    "card": gettext_lazy("The file holds more than one card of rates. Which one?"),
}
OPTIONS: dict[str, Any] = {
    "range": gettext_lazy("a range, from the first code to the second"),
    "join": gettext_lazy("country and area of one code"),
    "each": gettext_lazy("by the shape of each pair"),
    "day_first": gettext_lazy("the day"),
    "month_first": gettext_lazy("the month"),
    "point": gettext_lazy("the point"),
    "comma": gettext_lazy("the comma"),
    "unit": gettext_lazy("whole units of the currency"),
    "cent": gettext_lazy("cents"),
    "cent_100": gettext_lazy("hundredths of a cent"),
    "joined": gettext_lazy("yes, they go after it"),
    "whole": gettext_lazy("no, they hold it already"),
}
FIXED = frozenset({"hyphen", "date_order", "decimal_mark", "price_unit", "codes"})


class DeckForm(forms.Form):
    """A deck to be read; nothing is written before the next page."""

    file = forms.FileField(
        label=gettext_lazy("Deck"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xlsm,.xls,.json,.gz"}),
        help_text=gettext_lazy(
            "As the carrier sends it: CSV, Excel (XLSX, XLS) or an open rate card (JSON); CSV also in gzip. "
            "Headers are recognised by their names; what is not known you say on the next page."
        ),
    )
    effective = forms.DateTimeField(
        label=gettext_lazy("In force from"),
        required=False,
        widget=moment_input(),
        help_text=gettext_lazy("Empty: as the deck says. A moment given here replaces the deck's own dates."),
    )


def question_of(stored: Mapping[str, Any]) -> Question:
    """A question as it was kept."""
    return Question(stored["key"], stored["text"], tuple(stored["options"]), tuple(stored.get("samples", ())))


def said(key: str, value: str) -> tuple[str, str]:
    """A question and an answer to it in words."""
    return str(QUESTIONS.get(key, key)), str(OPTIONS.get(value, value)) if key in FIXED else value


class QuestionsForm(forms.Form):
    """What the reader of a deck could not decide, each a choice with what it would make of a cell of the file."""

    def __init__(self, *args: Any, questions: Sequence[Question], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions:
            self.fields[question.key] = forms.ChoiceField(
                label=QUESTIONS.get(question.key, question.text),
                choices=[(option, _choice(question, option)) for option in question.options],
                widget=forms.RadioSelect,
            )


class ColumnsForm(forms.Form):
    """A role for each column of a file, by its number."""

    def __init__(self, *args: Any, sample: Sample, roles: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("leave out")), *ROLES.items()]
        for column in range(sample.width):
            self.fields[f"col-{column}"] = forms.ChoiceField(
                label=_("Column %d") % (column + 1),
                choices=choices,
                required=False,
                initial=roles.get(column, ""),
                widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        roles = [role for role in cleaned.values() if role]
        for role in dict.fromkeys(roles):
            if roles.count(role) > 1:
                raise forms.ValidationError(_("“%s” is chosen for two columns.") % ROLES[role])
        if "price" not in roles or not {"code", "country_code", "area_code"} & set(roles):
            raise forms.ValidationError(_("Say which column holds the code and which the price."))
        return cleaned

    def mapping(self) -> dict[str, str]:
        """Columns by role, as the reader takes them."""
        return {role: f"#{int(name.removeprefix('col-')) + 1}" for name, role in self.cleaned_data.items() if role}


def _choice(question: Question, option: str) -> str:
    text = str(OPTIONS.get(option, option)) if question.key in FIXED else option
    shown = example(question, option)
    return f"{text}: {shown}" if shown else text
