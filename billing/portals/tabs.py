"""Tabs of a page: addresses with a word, the present one marked, a count where one helps to decide."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise


@dataclass(frozen=True)
class Tab:
    label: str | Promise
    url: str
    current: bool
    count: int = 0


def tabs(request: HttpRequest, *entries: tuple[str | Promise, str]) -> list[Tab]:
    """From (word, address) pairs; the longest address that this page lies under is the present one."""
    here = max((url for _word, url in entries if request.path.startswith(url)), key=len, default="")
    return [Tab(word, url, url == here) for word, url in entries]
