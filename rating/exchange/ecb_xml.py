"""eurofxref-daily.xml and eurofxref-hist.xml: <Cube time="2026-11-20"><Cube currency="USD" rate="1.0852"/>...

Read by a parser that refuses entities and document types: a file that somebody uploads must not unfold in memory or
fetch anything.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.translation import gettext as _

from tiers.errors import Invalid

CUBE = "}Cube"


def xml_cells(content: bytes) -> Iterator[tuple[date, str, str]]:
    """(day, currency, rate as written) of every cell. Raises Invalid for XML that is broken or dangerous."""
    day: date | None = None
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
            if not element.tag.endswith(CUBE) and element.tag != "Cube":
                continue
            if event == "end":
                element.clear()
                continue
            if "time" in element.attrib:
                day = _day(element)
            elif "currency" in element.attrib:
                if day is None:
                    raise Invalid("day", _("A rate stands in the file without its day."), where="file")
                yield day, element.attrib["currency"].strip().upper(), element.attrib.get("rate", "").strip()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Invalid("xml", _("The file is not well-formed XML."), where="file") from error


def _day(element: Element) -> date:
    text = element.attrib["time"].strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("day", _("%s is not a day.") % text[:40], where="file") from None
