"""Which format is this file in?

Why: two different layouts are both called `Master.csv`, and a PDF may be called `calls.csv`. So the content
decides, and a file that is nobody's is refused with what was seen and what is known.
"""

from __future__ import annotations

from collections.abc import Sequence

from rating.usage.formats.acc import Acc
from rating.usage.formats.asterisk import AsteriskCsv
from rating.usage.formats.asterisk_custom import AsteriskCustom
from rating.usage.formats.avaya import AvayaSmdr
from rating.usage.formats.cdrstats import CdrStatsPlain
from rating.usage.formats.cucm import CucmCdr
from rating.usage.formats.freepbx import FreepbxCsv
from rating.usage.formats.freeswitch import FreeswitchCsv
from rating.usage.formats.freeswitch_json import FreeswitchJson
from rating.usage.formats.freeswitch_xml import FreeswitchXml
from rating.usage.formats.generic import GenericCsv
from rating.usage.formats.mitel import MitelSmdr
from rating.usage.formats.radius import RadiusDetail
from rating.usage.formats.threecx import ThreeCx
from rating.usage.lines import decode_head
from rating.usage.protocol import Adapter, Mappable, UsageRefused

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        GenericCsv(),
        AsteriskCsv(),
        AsteriskCustom(),
        FreepbxCsv(),
        FreeswitchCsv(),
        FreeswitchJson(),
        FreeswitchXml(),
        Acc(),
        RadiusDetail(),
        ThreeCx(),
        CucmCdr(),
        MitelSmdr(),
        AvayaSmdr(),
        CdrStatsPlain(),
    )
}

MAPPABLE: dict[str, Mappable] = {"acc": Acc(), "asterisk_custom": AsteriskCustom(), "3cx": ThreeCx()}
"""Those whose order of columns is set in the switch, and can be said in a source's mapping."""

GENERIC = "generic"
"""Taken where no switch's own format is: headers of some are read by it too."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (.xls or .doc)"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)
_MARKUP = (b"<!doctype html", b"<html")


def known_formats() -> str:
    """The formats in words, for messages: `generic (CSV with a header), ...`."""
    return ", ".join(f"{adapter.name} ({adapter.label})" for adapter in ADAPTERS.values())


def get(name: str) -> Adapter:
    """The adapter of that name, or `UsageRefused` (code `unknown_format`)."""
    try:
        return ADAPTERS[name]
    except KeyError:
        raise UsageRefused(
            "unknown_format", f"There is no usage format {name!r}.", hint=f"Known: {known_formats()}."
        ) from None


def check_text(head: bytes, filename: str) -> list[str]:
    """The first lines of a file that holds text, or `UsageRefused` (`empty`, `not_text`)."""
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise UsageRefused("empty", "The file is empty.", filename, "Export it again; nothing was read.")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise _not_text(what, filename)
    if head.lstrip()[:20].lower().startswith(_MARKUP):
        raise _not_text("a web page (perhaps a login page that was saved)", filename)
    lines = decode_head(head)
    if sum(line.count("\0") for line in lines) * 20 > sum(map(len, lines)):
        raise _not_text("binary data", filename)
    if not any(line.strip() for line in lines):
        raise UsageRefused("empty", "The file holds blank lines only.", filename, "Nothing was read.")
    return lines


def detect(head: bytes, filename: str) -> str:
    """The name of the format that these first bytes (some 64 KiB) are in, or `UsageRefused`.

    `filename` is only used to say in which file; it never decides.
    """
    lines = check_text(head, filename)
    matches = {name: adapter.recognise(lines) for name, adapter in ADAPTERS.items()}
    takers = [name for name in matches if matches[name].score > 0]
    special = [name for name in takers if name != GENERIC] or takers
    if len(special) > 1:
        message = f"This file may be {' or '.join(f'{name} ({ADAPTERS[name].label})' for name in special)}."
        raise UsageRefused("which_format", message, filename, "Say which: choose the format for it or for its source.")
    if special:
        return special[0]
    near = [match.near_miss for match in matches.values() if match.near_miss]
    message = near[0] if near else "The layout of this file is not known: " + _seen(lines)
    raise UsageRefused("unknown_layout", message, f"{filename}, line 1", f"Known formats: {known_formats()}.")


def _not_text(what: str, filename: str) -> UsageRefused:
    hint = f"Export the calls as text. Known formats: {known_formats()}."
    return UsageRefused("not_text", f"The file is not a list of calls but {what}.", filename, hint)


def _seen(lines: Sequence[str]) -> str:
    first = next(line for line in lines if line.strip()).strip()
    counts = {mark: first.count(mark) for mark in (",", ";", "\t", "|")}
    mark = max(counts, key=lambda key: counts[key])
    shown = first[:80] + ("…" if len(first) > 80 else "")
    if not counts[mark]:
        return f"no separator is seen in “{shown}”."
    name = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
    return f"{counts[mark] + 1} columns parted by {name}, no header that is known: “{shown}”."
