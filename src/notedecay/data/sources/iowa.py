"""Recordings of the University of Iowa: links read from its pages, files downloaded."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from notedecay import audio
from notedecay.core.errors import UserError, nearest
from notedecay.core.files import replacing
from notedecay.data.sources import records
from notedecay.data.sources.download import Download
from notedecay.data.sources.records import SourceRecord

BASE_URL = "https://theremin.music.uiowa.edu/"
LICENCE = "free for any use, without restrictions"
CREDIT = "University of Iowa Electronic Music Studios (Lawrence Fritts)"
RECORD = SourceRecord("University of Iowa Electronic Music Studios", "", LICENCE, CREDIT)
FOLDER = "iowa"

SHA256 = {
    "Guitar.mono.1644.1.zip": "42b24075a939a33d6eab12758bca763a24944fcd32b642ceb4f9290999c894dd",
    "Cello.pizz.ff.sulC.C2.stereo.aif": (
        "5424133b9a1ca4143cb84c833c00bd236498934eb94ed4e204b9f6f69738c51e"
    ),
}
"""SHA-256 of files whose bytes are known; the others must be readable as audio."""

INDEX = "MIS.html"
_NOTE = r"[A-G]b?\d"


@dataclass(frozen=True)
class Collection:
    """Pages that link an instrument's files, and patterns of the wanted names."""

    pages: tuple[str, ...]
    files: str
    zips: str | None = None


COLLECTIONS = {
    "piano": Collection(("MISpiano.html",), rf"Piano\.(pp|mf|ff)\.{_NOTE}\.aiff?"),
    "guitar": Collection(
        ("MISguitar.html",),
        rf"Guitar\.(pp|mf|ff)\.sul_?[A-G]\.({_NOTE}){{1,2}}\.aiff?",
        r"Guitar\.mono\.1644\.1\.zip",
    ),
    "flute": Collection(
        ("MIS-Pitches-2012/MISFlute2012.html", "MISflute.html"),
        rf"Flute\.nonvib\.ff\.{_NOTE}\.stereo\.aiff?",
        r"Flute\.nonvib\.ff\.stereo\.zip",
    ),
    "cello": Collection(
        ("MIS-Pitches-2012/MISCello2012.html", "MIScello2012.html", "MIScello.html"),
        rf"Cello\.pizz\.ff\.sul[CGDA]\.{_NOTE}\.stereo\.aiff?",
    ),
}

Say = Callable[[str], None]


def fetch(
    data_dir: Path,
    *,
    instruments: Sequence[str] = tuple(COLLECTIONS),
    base_url: str = BASE_URL,
    pause: float = 1.0,
    backoff: float = 2.0,
    say: Say = print,
) -> None:
    """Download the paper's instruments from the university's site to ``data/<instrument>/iowa``.

    An interrupted fetch is continued by the same call; a finished one does nothing.

    Parameters
    ----------
    data_dir : Path
        The data folder.
    instruments : sequence of str
        Keys of :data:`COLLECTIONS`.
    base_url : str
        The site, or a mirror of it.
    pause, backoff : float
        Between requests, and before a failed one is tried again (s).
    say : callable
        Progress callback: receives a line of text.

    Raises
    ------
    UserError
        An unknown instrument, a site that cannot be reached or does not link the files, or
        bytes that are not what they should be.
    """
    for instrument in instruments:
        if instrument not in COLLECTIONS:
            raise UserError(f"Iowa has no '{instrument}'{nearest(instrument, COLLECTIONS)}")
    with Download(pause=pause, backoff=backoff) as download:
        for instrument in instruments:
            _fetch_instrument(download, data_dir, instrument, base_url, say)


def _fetch_instrument(
    download: Download, data_dir: Path, instrument: str, base_url: str, say: Say
) -> None:
    folder = data_dir / instrument / FOLDER
    if (folder / records.FILE).exists():  # written last
        say(f"{folder}: already there")
        return
    links = _links(download, instrument, base_url)
    # The registry's piano notes are the ff ones of this very collection.
    if instrument == "piano" and (data_dir / "piano" / "iowa-ff").is_dir():
        say(f"{folder}: the ff notes are there as iowa-ff, fetching pp and mf")
        links = [link for link in links if ".ff." not in _name(link)]
    folder.mkdir(parents=True, exist_ok=True)
    for done, link in enumerate(links, 1):
        say(f"{folder}: {done} of {len(links)}, {_name(link)}")
        _fetch_link(download, link, folder)
    records.write(RECORD, folder)
    say(f"{folder}: complete, {LICENCE}; credit {CREDIT}")


def _links(download: Download, instrument: str, base_url: str) -> list[str]:
    """Links to wanted files: the whole archive where one is offered, else note by note."""
    collection = COLLECTIONS[instrument]
    found: dict[str, str] = {}
    for page in _pages(download, instrument, base_url):
        for link in _hrefs(download.page(page) or "", page):
            found.setdefault(_name(link), link)
    for pattern in (collection.zips, collection.files):
        chosen = [found[name] for name in sorted(found) if pattern and re.fullmatch(pattern, name)]
        if chosen:
            return chosen
    raise UserError(
        f"{base_url}: no page links {instrument} recordings: has the site moved? "
        "Name its new address, or fetch by hand and give the folder"
    )


def _pages(download: Download, instrument: str, base_url: str) -> Iterator[str]:
    """Pages that may link an instrument: the known ones, then those that the index links."""
    known = [urljoin(base_url, page) for page in COLLECTIONS[instrument].pages]
    index = urljoin(base_url, INDEX)
    linked = _hrefs(download.page(index) or "", index)
    named = [link for link in linked if re.search(rf"MIS{instrument}\w*\.html$", link, re.I)]
    yield from dict.fromkeys([*known, *named])


def _hrefs(page: str, url: str) -> Iterator[str]:
    """Absolute links of a page to its own host, percent-encoded."""
    for href in re.findall(r"""href\s*=\s*["']([^"'#]+)""", page, re.I):
        parts = urlsplit(urljoin(url, unescape(href).strip()))
        if parts.netloc == urlsplit(url).netloc:
            yield urlunsplit(parts._replace(path=quote(unquote(parts.path))))


def _name(link: str) -> str:
    return PurePosixPath(unquote(urlsplit(link).path)).name


def _fetch_link(download: Download, link: str, folder: Path) -> None:
    if any((folder / _name(spelled)).exists() for spelled in _spellings(link)):
        return
    for spelled in _spellings(link):
        path = folder / _name(spelled)
        if download.file(spelled, path, sha256=SHA256.get(path.name)):
            if path.suffix == ".zip":
                _unpack(path, folder)
            else:
                _require_audio(path)
            return
    raise UserError(f"{link}: the site has no such file: has it moved?")


def _spellings(link: str) -> tuple[str, ...]:
    """The link with either suffix: pages write .aiff where the file is .aif."""
    if link.endswith(".aiff"):
        return link, link[:-1]
    return (link, f"{link}f") if link.endswith(".aif") else (link,)


def _unpack(archive: Path, folder: Path) -> None:
    """Extract a zip's recordings beside it, without folders, so that none leaves the folder."""
    try:
        with zipfile.ZipFile(archive) as z:
            for member in z.namelist():
                name = PurePosixPath(member).name
                is_recording = PurePosixPath(name).suffix.lower() in audio.SUFFIXES
                if is_recording and "__MACOSX" not in member:
                    with replacing(folder / name) as partial:
                        partial.write_bytes(z.read(member))
    except zipfile.BadZipFile as error:
        raise UserError(f"{archive} is damaged: run the same command again") from error
    finally:
        archive.unlink()


def _require_audio(path: Path) -> None:
    try:
        audio.read(path)
    except UserError:
        path.unlink()
        raise
