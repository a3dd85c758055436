"""JSON read exactly: a tenth stays a tenth, for no float may touch money."""

from __future__ import annotations

import codecs
import json
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class ExactJSONParser(JSONParser):
    """JSON whose numbers stay what was written: 0.1 is a tenth, never a float."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            return json.load(codecs.getreader(encoding)(stream), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("This is not JSON that can be read: %s") % error) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number here")
