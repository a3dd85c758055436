"""The demo's logins for the login page; nothing outside the demo."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def demo_logins() -> list[Any]:
    """Entries with `who`, `email` and `password`; none where this installation is not the demo."""
    if not settings.DEMO:
        return []
    return list(import_module("billing.demo.story").LOGINS)
