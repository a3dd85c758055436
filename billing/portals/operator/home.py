"""Home: how the business stands, and what needs a person now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from billing.portals.operator.base import OperatorView


class Home(OperatorView):
    template_name = "operator/home.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page()
