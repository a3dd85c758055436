"""FreeSWITCH's call records as module xml_cdr writes them: `<cdr>` elements, one a file or many.

Documents with a DOCTYPE or entities of their own are not read: nothing that a file says is ever expanded or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from xml.etree.ElementTree import Element, ParseError, XMLParser

from rating.usage.fields import FieldError
from rating.usage.formats.freeswitch_call import FreeswitchCallParser, decoded
from rating.usage.framing import Elements
from rating.usage.halves import Half
from rating.usage.protocol import Match, UsageRefused
from rating.usage.record import UsageRow

_BEGINS = re.compile(r"\s*(<\?xml[^>]*\?>\s*)?(<cdrs[^>]*>\s*(<\?xml[^>]*\?>\s*)?)?<cdr[\s>]")
_SCORE = 95


class FreeswitchXml:
    """The adapter of this format."""

    name = "freeswitch_xml"
    label = "FreeSWITCH xml_cdr"

    def recognise(self, head_lines: Sequence[str]) -> Match:
        text = "\n".join(head_lines)
        return Match(_SCORE if _BEGINS.match(text) and ("<variables>" in text or "<channel_data>" in text) else 0)

    def prepare(self, head_lines: Sequence[str], time_zone: tzinfo, *, not_after: datetime) -> FreeswitchXmlParser:
        if not self.recognise(head_lines).score:
            raise UsageRefused("unknown_layout", "This is not XML as FreeSWITCH's xml_cdr writes it.", "line 1")
        return FreeswitchXmlParser(time_zone, not_after)


class FreeswitchXmlParser(FreeswitchCallParser):
    """Reads one element."""

    framing = Elements("cdr")

    def read(self, line_no: int, text: str) -> UsageRow | Half | None:
        root = _element(text)
        variables = root.find("variables")
        if root.tag != "cdr" or variables is None:
            raise FieldError("variables", "missing", "The element holds no variables of a call.")
        profiles = root.findall("callflow/caller_profile")
        return self.call(line_no, text, _texts(variables), _texts(profiles[-1]) if profiles else {})


def _element(text: str) -> Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FieldError("", "doctype", "The document declares types or entities of its own, which are not read.")
    parser = XMLParser()
    try:
        parser.feed(text)
        return parser.close()
    except (ParseError, ValueError) as error:
        raise FieldError("", "xml", "This is not a whole XML element.") from error


def _texts(found: Element) -> dict[str, str]:
    return {child.tag: decoded(child.text) for child in found if not len(child)}
