"""Type for the call annex: embedded TrueType faces where the machine has them, with a fallback for other
scripts.

The list of files is fixed: no text of a tenant ever becomes a path. ReportLab's own Vera faces are the last
resort, and its built-in MSung-Light (not embedded, known to every viewer) stands in for Chinese where no
such font is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

_SHARE = Path("/usr/share/fonts")
_VERA = Path(reportlab.__file__).parent / "fonts"

# In the order of the style sheet's own list, so that annex and page one look alike.
TEXT_FACES = (
    (
        _SHARE / "truetype/liberation/LiberationSans-Regular.ttf",
        _SHARE / "truetype/liberation/LiberationSans-Bold.ttf",
    ),
    (
        _SHARE / "truetype/liberation2/LiberationSans-Regular.ttf",
        _SHARE / "truetype/liberation2/LiberationSans-Bold.ttf",
    ),
    (
        _SHARE / "liberation-sans/LiberationSans-Regular.ttf",
        _SHARE / "liberation-sans/LiberationSans-Bold.ttf",
    ),
    (_SHARE / "truetype/noto/NotoSans-Regular.ttf", _SHARE / "truetype/noto/NotoSans-Bold.ttf"),
    (_SHARE / "truetype/dejavu/DejaVuSans.ttf", _SHARE / "truetype/dejavu/DejaVuSans-Bold.ttf"),
    (_VERA / "Vera.ttf", _VERA / "VeraBd.ttf"),
)
OTHER_SCRIPTS = (
    _SHARE / "truetype/dejavu/DejaVuSans.ttf",
    _SHARE / "truetype/droid/DroidSansFallbackFull.ttf",
    _SHARE / "truetype/wqy/wqy-microhei.ttc",
    _SHARE / "truetype/wqy/wqy-zenhei.ttc",
    _SHARE / "truetype/arphic/uming.ttc",
)
BUILT_IN_CHINESE = "MSung-Light"


@dataclass(frozen=True, slots=True)
class Face:
    """A registered font, and the widths (in thousandths of its size) of the characters that it draws.

    No widths: it is asked no further, being the last resort.
    """

    name: str
    widths: Mapping[int, float] | None


@dataclass(frozen=True, slots=True)
class Typeface:
    """Faces in order of preference; a character is drawn by the first that has it."""

    faces: tuple[Face, ...]

    @property
    def main(self) -> str:
        return self.faces[0].name

    def runs(self, text: str) -> Iterator[tuple[str, str]]:
        """The text cut where the font must change: (font name, piece)."""
        if text.isascii():
            yield self.main, text
            return
        for name, characters in groupby(text, key=self._face_for):
            yield name, "".join(characters)

    def width(self, text: str, size: float) -> float:
        """How wide the text is, in points."""
        main = self.faces[0].widths or {}
        if text.isascii():
            return sum([main.get(code, 0) for code in text.encode()]) * size / 1000
        return float(sum(pdfmetrics.stringWidth(piece, name, size) for name, piece in self.runs(text)))

    def _face_for(self, character: str) -> str:
        for face in self.faces:
            if face.widths is None or ord(character) in face.widths:
                return face.name
        return self.main


@cache
def typefaces() -> tuple[Typeface, Typeface]:
    """Regular and bold, registered once a process."""
    others = tuple(face for path in OTHER_SCRIPTS if (face := _register(path)))
    pdfmetrics.registerFont(UnicodeCIDFont(BUILT_IN_CHINESE))
    last = Face(BUILT_IN_CHINESE, None)
    for regular, bold in TEXT_FACES:
        text, strong = _register(regular), _register(bold)
        if text and strong:
            return Typeface((text, *others, last)), Typeface((strong, *others, last))
    raise FileNotFoundError("no TrueType font was found, not even ReportLab's own")


@cache
def _register(path: Path) -> Face | None:
    if not path.is_file():
        return None
    name = f"tollgate-{path.stem}"
    try:
        font = TTFont(name, str(path))
    except TTFError:
        return None
    pdfmetrics.registerFont(font)
    return Face(name, font.face.charWidths)
