"""A brand's accent, made readable.

A seller picks any colour; a link, a button and a focus ring need 4.5:1 against what is behind them, in the light and in
the dark (WCAG 2.2, 1.4.3). The hue stays, the lightness gives way.
"""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

WHITE = "#ffffff"
INK = "#10161f"
LIGHT_GROUND = "#f6f7f9"
DARK_GROUND = "#1b2330"
ENOUGH = 4.5
HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")


@dataclass(frozen=True)
class Accent:
    """`colour` for text, lines and filled buttons; `on` for words upon it; both `#rrggbb`."""

    colour: str
    on: str

    @property
    def rgb(self) -> str:
        return ", ".join(str(part) for part in _parts(self.colour))


def is_colour(text: str) -> bool:
    return HEX.match(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def for_light(accent: str) -> Accent:
    """Darkened until it reads on the light ground; words on it are white."""
    return Accent(_shift(accent, LIGHT_GROUND, -1), WHITE)


def for_dark(accent: str) -> Accent:
    """Lightened until it reads on the dark ground; words on it are ink."""
    return Accent(_shift(accent, DARK_GROUND, +1), INK)


def _shift(accent: str, ground: str, direction: int) -> str:
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(accent)))
    shifted = accent.lower()
    while contrast(shifted, ground) < ENOUGH and 0 < light + direction / 100 < 1:
        light += direction / 100
        shifted = _hex(colorsys.hls_to_rgb(hue, light, saturation))
    return shifted


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
