"""Where switches take orders: the operator's own word in the environment, never anything that a tenant wrote.

`SWITCH_CONTROLS` is a JSON object. Its names are a source's code, or `source/switch` for one machine of several behind
a source (`switch` is what that machine calls itself at the door):

    {"front": {"kind": "asterisk", "url": "http://10.0.0.5:8088/ari", "user": "tollgate", "password": "..."},
     "edge/sbc2": {"kind": "kamailio", "url": "http://10.0.0.7:8060/RPC", "user": "tollgate", "password": "..."}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error


class Kind(StrEnum):
    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"
    KAMAILIO = "kamailio"


@dataclass(frozen=True, slots=True)
class Control:
    """Where a switch takes orders, and by which name. `url` has no slash at its end."""

    kind: Kind
    url: str
    user: str
    password: str = field(repr=False)


def control_of(source: str, switch: str = "") -> Control | None:
    """The control of this machine, else of its source; None where the operator named none, or nothing legible."""
    try:
        controls = read_controls(settings.SWITCH_CONTROLS)
    except ValueError:
        return None
    return controls.get(f"{source}/{switch}") or controls.get(source)


@lru_cache(maxsize=4)
def read_controls(text: str) -> Mapping[str, Control]:
    """Raises ValueError, in words for who runs the installation."""
    if not text.strip():
        return {}
    try:
        told = json.loads(text)
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(told, dict):
        raise ValueError("it is not a JSON object of switches")
    return {name: _control(name, one) for name, one in told.items()}


def _control(name: str, told: Any) -> Control:
    known = {"kind", "url", "user", "password"}
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()) or set(told) - known:
        raise ValueError(f"{name}: it needs `kind`, `url`, `user` and `password`, each as text")
    if told.get("kind") not in list(Kind):
        raise ValueError(f"{name}: `kind` is {', '.join(Kind)}")
    url = str(told.get("url", "")).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError(f"{name}: `url` is http:// or https:// and a host, without a login in it")
    return Control(Kind(told["kind"]), url, told.get("user", ""), told.get("password", ""))


def check_controls(**_options: Any) -> list[CheckMessage]:
    """For `manage.py check`: a mistake in SWITCH_CONTROLS is told at the start, not when a call must be ended."""
    try:
        read_controls(settings.SWITCH_CONTROLS)
    except ValueError as error:
        return [Error(f"SWITCH_CONTROLS: {error}.", id="rating.E001")]
    return []
