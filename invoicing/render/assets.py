"""Files that a rendering may show, handed in by the caller: nothing is fetched or read by name from within.

A logo is checked before a renderer sees it: a known picture format, of bounded bytes and pixels.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

MAX_LOGO_BYTES = 1_000_000
MAX_LOGO_PIXELS = 12_000_000
LOGO_URL = "asset:logo"

_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Assets:
    """The brand's own files by name, as `PartyBlock.logo` names them."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def logo(self, name: str) -> Logo | None:
        """The logo of that name, or None where there is none or it is not a picture that can be printed."""
        data = self.files.get(name) if name else None
        if not data or len(data) > MAX_LOGO_BYTES:
            return None
        media_type = _picture_type(data)
        return Logo(data, media_type) if media_type else None


@dataclass(frozen=True, slots=True)
class Logo:
    """Picture bytes that passed the checks."""

    data: bytes
    media_type: str


def _picture_type(data: bytes) -> str | None:
    """The media type of a PNG or JPEG of bounded size, else None. Reads the header only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as picture:
                small = picture.width * picture.height <= MAX_LOGO_PIXELS
                picture.verify()
                return _FORMATS[picture.format or ""] if small else None
    except (OSError, SyntaxError, ValueError, KeyError, Image.DecompressionBombError, Warning):
        return None
