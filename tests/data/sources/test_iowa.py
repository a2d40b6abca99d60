"""Fetching from a local server that is laid out like the university's site."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
import soundfile as sf

from notedecay.core.errors import UserError
from notedecay.data import catalogue
from notedecay.data.sources import download, iowa, records
from notedecay.data.sources.download import SCRATCH
from tests.synthetic import damped

PITCHES_2014 = "sound files/MIS Pitches - 2014"


def aiff(f0: float) -> bytes:
    buffer = io.BytesIO()
    note = damped([f0, 2 * f0], [2.0, 1.0], seconds=1.5, rate=8000)
    sf.write(buffer, note, 8000, format="AIFF", subtype="PCM_16")
    return buffer.getvalue()


@dataclass
class Site:
    """Files by path, and what goes wrong with them."""

    files: dict[str, bytes]
    url: str = ""
    breaks_once: set[str] = field(default_factory=set)
    busy_once: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path).lstrip("/")
            site.asked.append(path)
            if path in site.busy_once:
                site.busy_once.remove(path)
                self.send_error(503)
                return
            if path not in site.files:
                self.send_error(404)
                return
            data = site.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if path in site.breaks_once:
                site.breaks_once.remove(path)
                self.wfile.write(data[: len(data) // 2])
                return
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    guitar = io.BytesIO()
    with zipfile.ZipFile(guitar, "w") as z:
        z.writestr("1644mono/Guitar.ff.sulE.E2.aif", aiff(82.4))
        z.writestr("__MACOSX/1644mono/._Guitar.ff.sulE.E2.aif", b"not audio")
        z.writestr("../../Guitar.ff.sul_E.E4.aif", aiff(329.6))
    piano, cello = "sound files/MIS/Piano_Other/piano", f"{PITCHES_2014}/Strings/Cello"
    site = Site(
        {
            "MIS.html": b'<a href="MISpiano.html">Piano</a> <a href="MISflute2012.html">F</a>',
            "MISpiano.html": (
                b'<a href="sound%20files/MIS/Piano_Other/piano/Piano.ff.C4.aiff">C4</a>'
                b'<a HREF="sound files/MIS/Piano_Other/piano/Piano.pp.A0.aiff">A0</a>'
                b'<a href="https://elsewhere.example/Piano.pp.B0.aiff">B0</a>'
            ),
            f"{piano}/Piano.ff.C4.aiff": aiff(261.6),
            f"{piano}/Piano.pp.A0.aiff": aiff(27.5),
            "MISguitar.html": (
                b'<a href="sound files/MIS/Piano_Other/guitar/Guitar.mono.1644.1.zip">all</a>'
            ),
            "sound files/MIS/Piano_Other/guitar/Guitar.mono.1644.1.zip": guitar.getvalue(),
            "MIS-Pitches-2012/MISCello2012.html": (
                b'<a href="../sound files/MIS Pitches - 2014/Strings/Cello/'
                b'Cello.pizz.ff.sulC.D2.stereo.aiff">D2</a>'
            ),
            f"{cello}/Cello.pizz.ff.sulC.D2.stereo.aif": aiff(73.4),
            "MISflute2012.html": (
                b'<a href="sound files/MIS Pitches - 2014/Woodwinds/Flute/'
                b'Flute.nonvib.ff.B3.stereo.aif">B3</a>'
            ),
            f"{PITCHES_2014}/Woodwinds/Flute/Flute.nonvib.ff.B3.stereo.aif": aiff(246.9),
        }
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_port}/"
    yield site
    server.shutdown()
    server.server_close()


def fetch(site: Site, data_dir: Path, *instruments: str) -> list[str]:
    said: list[str] = []
    iowa.fetch(
        data_dir,
        instruments=instruments or tuple(iowa.COLLECTIONS),
        base_url=site.url,
        pause=0,
        backoff=0,
        say=said.append,
    )
    return said


@pytest.fixture
def any_guitar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(iowa.SHA256, "Guitar.mono.1644.1.zip")


@pytest.mark.usefixtures("any_guitar")
def test_all_four_instruments_arrive_and_a_second_fetch_asks_for_nothing(
    site: Site, tmp_path: Path
) -> None:
    fetch(site, tmp_path)
    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.aif*"))
    assert found == [
        "cello/iowa/Cello.pizz.ff.sulC.D2.stereo.aif",
        "flute/iowa/Flute.nonvib.ff.B3.stereo.aif",
        "guitar/iowa/Guitar.ff.sulE.E2.aif",
        "guitar/iowa/Guitar.ff.sul_E.E4.aif",
        "piano/iowa/Piano.ff.C4.aiff",
        "piano/iowa/Piano.pp.A0.aiff",
    ]
    assert not list(tmp_path.rglob("*.zip"))
    assert not list(tmp_path.rglob(SCRATCH))
    assert records.read(tmp_path / "cello" / "iowa") == iowa.RECORD
    site.asked.clear()
    assert all("already there" in line for line in fetch(site, tmp_path))
    assert site.asked == []
    notes = catalogue.build(tmp_path, "guitar", highpass_hz=40)
    assert [note.id for note in notes] == ["guitar/ff-sulE/E2", "guitar/ff-sul_E/E4"]


def test_a_download_that_breaks_off_is_made_anew(site: Site, tmp_path: Path) -> None:
    path = next(p for p in site.files if p.endswith("Piano.ff.C4.aiff"))
    site.breaks_once.add(path)
    fetch(site, tmp_path, "piano")
    assert [p for p in site.asked if p == path] == [path, path]
    fetched = tmp_path / "piano" / "iowa" / "Piano.ff.C4.aiff"
    assert fetched.read_bytes() == site.files[path]


def test_a_killed_fetch_is_completed_by_the_next_call(site: Site, tmp_path: Path) -> None:
    path = next(p for p in site.files if p.endswith("Piano.ff.C4.aiff"))
    other = next(p for p in site.files if p.endswith("Piano.pp.A0.aiff"))
    folder = tmp_path / "piano" / "iowa"
    (folder / SCRATCH).mkdir(parents=True)
    (folder / SCRATCH / "begun").write_bytes(site.files[path][:1000])
    (folder / "Piano.pp.A0.aiff").write_bytes(site.files[other])
    fetch(site, tmp_path, "piano")
    assert path in site.asked
    assert other not in site.asked
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["Piano.ff.C4.aiff", "Piano.pp.A0.aiff", records.FILE]
    assert (folder / "Piano.ff.C4.aiff").read_bytes() == site.files[path]


@pytest.mark.parametrize("bound", ["MAX_PAGE_BYTES", "MAX_FILE_BYTES"])
def test_what_is_too_large_is_not_fetched(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(download, bound, 50)
    with pytest.raises(UserError, match="has more than 50 bytes"):
        fetch(site, tmp_path, "piano")
    assert list(tmp_path.rglob("*.aiff")) == []
    assert list(tmp_path.rglob(SCRATCH)) == []


def test_a_disk_that_cannot_be_written_is_one_clear_line(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.core.stream_download", full)
    with pytest.raises(UserError, match=r"Piano.ff.C4.aiff cannot be written: No space left"):
        fetch(site, tmp_path, "piano")


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.busy_once.update(["MISpiano.html", *(p for p in site.files if "Piano.pp" in p)])
    fetch(site, tmp_path, "piano")
    assert (tmp_path / "piano" / "iowa" / "Piano.pp.A0.aiff").exists()


def test_wrong_bytes_are_refused_by_their_checksum(site: Site, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Guitar\.mono\.1644\.1\.zip: the bytes are not"):
        fetch(site, tmp_path, "guitar")
    assert not list((tmp_path / "guitar" / "iowa").iterdir())


@pytest.mark.usefixtures("any_guitar")
@pytest.mark.parametrize(
    ("name", "instrument"), [("Piano.ff.C4.aiff", "piano"), ("Guitar.mono.1644.1.zip", "guitar")]
)
def test_a_damaged_file_is_named_and_not_kept(
    site: Site, tmp_path: Path, name: str, instrument: str
) -> None:
    path = next(p for p in site.files if p.endswith(name))
    whole, site.files[path] = site.files[path], site.files[path][:200]
    with pytest.raises(UserError, match=name):
        fetch(site, tmp_path, instrument)
    assert not (tmp_path / instrument / "iowa" / name).exists()
    site.files[path] = whole
    fetch(site, tmp_path, instrument)


def test_piano_ff_notes_of_the_registry_are_not_fetched_twice(site: Site, tmp_path: Path) -> None:
    (tmp_path / "piano" / "iowa-ff").mkdir(parents=True)
    fetch(site, tmp_path, "piano")
    assert [p.name for p in (tmp_path / "piano" / "iowa").glob("*.aiff")] == ["Piano.pp.A0.aiff"]


def test_a_site_without_the_files_says_so(site: Site, tmp_path: Path) -> None:
    site.files.clear()
    with pytest.raises(UserError, match="no page links flute recordings"):
        fetch(site, tmp_path, "flute")


def test_a_site_out_of_reach_is_one_clear_line(tmp_path: Path) -> None:
    site = Site({}, url="http://127.0.0.1:9/")
    with pytest.raises(UserError, match=r"cannot be fetched .*again later") as error:
        fetch(site, tmp_path, "piano")
    assert "\n" not in str(error.value)


def test_an_unknown_instrument_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'cello'"):
        iowa.fetch(tmp_path, instruments=["celo"])
