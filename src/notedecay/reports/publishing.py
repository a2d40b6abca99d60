"""Copy of a page and its pictures to where they are committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from notedecay.core.files import replacing
from notedecay.reports.images import shrink


@dataclass(frozen=True)
class Picture:
    """A picture on a page.

    Attributes
    ----------
    source : Path
        PNG.
    shows : str
        What it shows, for the line below it.
    """

    source: Path
    shows: str


def publish(text: Path, pictures: Mapping[str, Picture], page: Path) -> Path:
    """Copy a text, and below it its pictures, made small.

    Parameters
    ----------
    text : Path
        Markdown.
    pictures : mapping of str to Picture
        What to call the copy of each, which lies beside the page.
    page : Path
        Where to.

    Returns
    -------
    Path
        The page.
    """
    for name, picture in pictures.items():
        shrink(picture.source, page.with_name(name))
    shown = "\n\n".join(_shown(name, picture) for name, picture in pictures.items())
    with replacing(page) as path:
        path.write_text(f"{text.read_text(encoding='utf-8')}\n{shown}\n", encoding="utf-8")
    return page


def _shown(name: str, picture: Picture) -> str:
    alt = picture.source.stem.replace("_", " ")
    return f"![{alt}]({name})\n\n{picture.shows}"
