"""Pages by key, not by number: a page costs the same first and after five million rows, and nothing is counted."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class KeysetPagination(CursorPagination):
    """Newest first; ids carry time. `?page_size=` up to 500."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "-id"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """A resource whose rows have no id by time names its own unique order in `ordering`."""
        return (getattr(view, "ordering", self.ordering),)
