"""FreeSWITCH's call records as module json_cdr writes them: one object a file, objects one behind the other or a line
each, or an array of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from rating.usage.fields import FieldError
from rating.usage.formats.freeswitch_call import FreeswitchCallParser, decoded
from rating.usage.framing import Objects
from rating.usage.halves import Half
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow

_BEGINS = re.compile(r'\s*\[?\s*\{\s*"', re.ASCII)
_NAMES = re.compile(r'"(core-uuid|switchname|channel_data|callflow|callStats|variables)"\s*:')
_SCORE = 95


class FreeswitchJson:
    """The adapter of this format."""

    name = "freeswitch_json"
    label = "FreeSWITCH json_cdr"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        text = "\n".join(head_lines)
        return Match(_SCORE if _BEGINS.match(text) and len(set(_NAMES.findall(text))) >= 2 else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> FreeswitchJsonParser:
        if not self.recognise(head_lines).score:
            raise UsageRefused("unknown_layout", "This is not JSON as FreeSWITCH's json_cdr writes it.", "line 1")
        return FreeswitchJsonParser(time_zone, not_after)


class FreeswitchJsonParser(FreeswitchCallParser):
    """Reads one object."""

    framing = Objects("core-uuid")

    def read(self, line_no: int, text: str) -> UsageRow | Half | None:
        try:
            whole = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            raise FieldError("", "json", "This is not a whole JSON object.") from error
        variables = whole.get("variables") if isinstance(whole, dict) else None
        if not isinstance(variables, dict):
            raise FieldError("variables", "missing", "The object holds no variables of a call.")
        return self.call(line_no, text, _texts(variables), _profile(whole.get("callflow")))


def _texts(found: Mapping[str, object]) -> dict[str, str]:
    return {name: decoded(value) for name, value in found.items() if not isinstance(value, (dict, list))}


def _profile(flow: object) -> dict[str, str]:
    """The caller profile of the first part of the call, which is the last one written."""
    parts = flow if isinstance(flow, list) else [flow]
    for part in reversed(parts):
        profile = part.get("caller_profile") if isinstance(part, dict) else None
        if isinstance(profile, dict):
            return _texts(profile)
    return {}
