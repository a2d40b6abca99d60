"""Pictures small enough to be committed."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from notedecay.core.files import replacing

COLOURS = 256
"""Size of the palette: enough for spectrograms, with half of the bytes."""


def shrink(source: Path, target: Path) -> None:
    """Copy a PNG with fewer colours; the folder is made if it is missing."""
    with replacing(target) as path, Image.open(source) as image:
        image.convert("RGB").quantize(COLOURS).save(path, "PNG", optimize=True)
