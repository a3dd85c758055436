"""The demo's logos: a sign in a rounded square and a name, drawn in the brand's accent."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

SIZE = (560, 120)
SCALE = 2
# Corners in twelfths of the square.
STAR = [(6, 2.5), (7.1, 4.9), (9.5, 6), (7.1, 7.1), (6, 9.5), (4.9, 7.1), (2.5, 6), (4.9, 4.9)]
PEAK = [(2.6, 8.8), (5, 4), (6.4, 6.6), (7.4, 5), (9.4, 8.8)]
LEAF = [(3, 9), (3, 6), (5, 3.6), (9, 3), (8.4, 7), (6, 9)]
POLYGONS = {"N": STAR, "S": PEAK, "M": LEAF}


def logo(name: str, accent: str) -> bytes:
    """A PNG of 560 by 120 pixels with a clear ground."""
    image = Image.new("RGBA", (SIZE[0] * SCALE, SIZE[1] * SCALE), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    _mark(draw, name[0], accent)
    draw.text((136 * SCALE, 60 * SCALE), name, fill=accent, font=ImageFont.load_default(46 * SCALE), anchor="lm")
    made = io.BytesIO()
    image.resize(SIZE, Image.Resampling.LANCZOS).save(made, "PNG", optimize=True)
    return made.getvalue()


def _mark(draw: ImageDraw.ImageDraw, letter: str, accent: str) -> None:
    """A rounded square with the brand's sign cut out of it."""
    unit = 120 * SCALE / 12
    draw.rounded_rectangle((unit, unit, 11 * unit, 11 * unit), radius=2 * unit, fill=accent)
    if letter in POLYGONS:
        draw.polygon([(x * unit, y * unit) for x, y in POLYGONS[letter]], fill="white")
    elif letter == "H":
        for width in (1.2, 2.6, 4.0):
            box = (6 - width, 6 - width, 6 + width, 6 + width)
            draw.ellipse([side * unit for side in box], outline="white", width=int(0.5 * unit))
    else:
        for step in range(4):
            top = 8 - step * (1.6 if letter == "P" else 0.4)
            box = (2.8 + step * 1.7, top, 4 + step * 1.7, 9.2)
            draw.rectangle([side * unit for side in box], fill="white")
