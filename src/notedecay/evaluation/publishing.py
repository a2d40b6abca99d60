"""A page with its pictures, copied to where it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from notedecay.files import replacing
from notedecay.pipeline.shrunk import shrink


def publish(text: Path, pictures: Mapping[str, Path], page: Path) -> Path:
    """Copy a text, and below it its pictures, made small.

    Parameters
    ----------
    text : Path
        Markdown.
    pictures : mapping of str to Path
        What to call the copy of each, which lies beside the page.
    page : Path
        Where to.

    Returns
    -------
    Path
        The page.
    """
    for name, source in pictures.items():
        shrink(source, page.with_name(name))
    shown = "\n\n".join(f"![{source.stem}]({name})" for name, source in pictures.items())
    with replacing(page) as path:
        path.write_text(f"{text.read_text(encoding='utf-8')}\n{shown}\n", encoding="utf-8")
    return page
