"""Publication of a page and its pictures in a folder that is committed."""

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
        Its caption.
    """

    source: Path
    shows: str


def publish(text: Path, pictures: Mapping[str, Picture], page: Path) -> Path:
    """Write a page of a text with its pictures below, in fewer colours.

    Parameters
    ----------
    text : Path
        Markdown.
    pictures : mapping of str to Picture
        By file name of the copy, which is written beside the page.
    page : Path
        The file to write.

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
