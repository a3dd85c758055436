"""Filters that read as a sentence: "Calls · of Alice Hotel · to Hong Kong · last month", each part one click to drop.

A filter is a GET form. What was filled in becomes a chip; a value that cannot be read is dropped and said at its field,
never an error page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise


@dataclass(frozen=True)
class Chip:
    """`words` of one filter, and the address of the page without it."""

    words: str
    without: str


class Filters(forms.Form):
    """`noun`: what is listed. `phrases`: per field, how its value reads, with `%s` for the value."""

    noun: ClassVar[str | Promise] = ""
    phrases: ClassVar[dict[str, str | Promise]] = {}

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request.GET, **kwargs)
        self.request = request
        for field in self.fields.values():
            field.required = False
        self.prepare()
        self.is_valid()

    def prepare(self) -> None:
        """For choices that depend on the reader or the day."""

    def value(self, name: str) -> Any:
        """What was asked for, or None."""
        found = self.cleaned_data.get(name)
        return None if found in ("", [], None) else found

    @property
    def chips(self) -> list[Chip]:
        names = [name for name in self.fields if self.value(name) is not None and name in self.phrases]
        return [Chip(str(self.phrases[name]) % self.words(name), self._without(name)) for name in names]

    def words(self, name: str) -> str:
        """The value as a reader would say it: a choice by its label."""
        field, value = self.fields[name], self.value(name)
        if isinstance(field, forms.ModelChoiceField):
            return field.label_from_instance(value)
        if isinstance(field, forms.ChoiceField):
            labels: dict[Any, Any] = dict(_flat(field.choices))
            return str(labels.get(value, value))
        return str(value)

    @property
    def kept(self) -> list[tuple[str, Any]]:
        """Parameters of the page that are no filter and stay when it is narrowed."""
        dropped = {*(field.name for field in self.visible_fields()), "after", "before"}
        return [(name, value) for name, value in self.request.GET.items() if name not in dropped]

    def _without(self, name: str) -> str:
        params: QueryDict = self.request.GET.copy()
        for dropped in (name, "after", "before"):
            params.pop(dropped, None)
        return f"{self.request.path}?{params.urlencode()}" if params else self.request.path


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    return [(value, label) for value, label in (choices() if callable(choices) else choices)]
