"""The pin: it must see every change, and agree with DVC itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.data.sources import lock

ROOT = Path(__file__).resolve().parents[3]


def dvc(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    dvc(tmp_path, "init", "-q")
    for name in ("piano/x/C4.wav", "piano/x/B3.wav", "guitar/y/ä z.wav"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    lock.accept(tmp_path, lambda: dvc(tmp_path, "add", "-q", "data"))
    return tmp_path


def test_the_list_holds_the_files_and_what_dvc_says_of_them(pinned):
    kept = lock.read_lock(pinned / "data.md5")
    assert kept.dvc == (pinned / "data.dvc").read_text()
    assert set(kept.files) == {"piano/x/C4.wav", "piano/x/B3.wav", "guitar/y/ä z.wav"}
    assert lock.verify(pinned) == 3
    assert lock.verify(pinned, "piano") == 2


def test_every_kind_of_change_is_named(pinned):
    (pinned / "data/piano/x/C4.wav").write_text("other")
    (pinned / "data/guitar/y/ä z.wav").unlink()
    (pinned / "data/piano/x/D4.wav").write_text("new")
    with pytest.raises(UserError) as caught:
        lock.verify(pinned)
    line = str(caught.value)
    assert "missing: guitar/y/ä z.wav" in line
    assert "changed: piano/x/C4.wav" in line
    assert "not pinned: piano/x/D4.wav" in line
    assert "'dvc pull data'" in line
    assert "delete what is not pinned" in line
    assert "'notedecay fetch'" not in line  # these are nobody's published recordings


def test_only_what_helps_is_advised(pinned):
    (pinned / "data/piano/x/D4.wav").write_text("new")
    with pytest.raises(UserError) as caught:
        lock.verify(pinned)
    assert "dvc pull" not in str(caught.value)
    assert "delete what is not pinned; or run 'notedecay pin'" in str(caught.value)
    published = {"piano/iowa-ff/Piano.ff.C4.flac": "0", "banjo/own/C4.wav": "0"}
    assert lock._remedy(published, published | {"banjo/own/C4.wav": "1"}).count("dvc pull") == 1
    line = lock._remedy(published, published | {"piano/iowa-ff/Piano.ff.C4.flac": "1"})
    assert "'notedecay fetch'" in line
    assert "dvc pull" not in line


def test_what_systems_leave_about_is_ignored_by_dvc_and_the_list_alike(pinned):
    shutil.copy(ROOT / ".dvcignore", pinned / ".dvcignore")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "C3.wav.asd", "C3.wav.reapeaks",
                 "._C4.wav", "__MACOSX/C4.wav", ".trash/C4.wav", "@eaDir/C4.wav@Syno", "Icon\r",
                 "THUMBS.DB"):  # fmt: skip
        path = pinned / "data/piano/x" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("clutter")
    assert lock.verify(pinned) == 3
    assert lock.verify(pinned, "piano") == 2
    assert json.loads(dvc(pinned, "status", "--json")) == {}
    before = (pinned / "data.dvc").read_text()
    assert lock.accept(pinned, lambda: dvc(pinned, "add", "-q", "data")) == (3, [])
    assert (pinned / "data.dvc").read_text() == before


@pytest.mark.parametrize("name", ["a\nb.wav", "a\u0085b.wav", "a\udcffb.wav", "a\rb.wav"])
def test_a_name_that_the_list_cannot_hold_is_refused_before_anything_is_written(pinned, name):
    before = [(pinned / file).read_bytes() for file in ("data.dvc", "data.md5")]
    (pinned / "data/piano/x" / name).write_text("new")
    with pytest.raises(UserError, match="rename it") as caught:
        lock.accept(pinned, lambda: pytest.fail("DVC was told"))
    assert str(caught.value).isascii()
    assert [(pinned / file).read_bytes() for file in ("data.dvc", "data.md5")] == before


def test_odd_names_come_through_the_list(pinned):
    names = ["[a] b's (1) #é.wav", "a  b.wav", "x\\y.wav", "# C4.wav", "a\u200bb.wav", "%.wav"]
    for name in names:
        (pinned / "data/piano/x" / name).write_text(name)
    assert lock.accept(pinned, lambda: dvc(pinned, "add", "-q", "data")) == (3 + len(names), [])
    assert {f"piano/x/{name}" for name in names} < set(lock.read_lock(pinned / "data.md5").files)
    assert lock.verify(pinned) == 3 + len(names)


def test_what_is_pinned_no_longer_is_said(pinned):
    shutil.rmtree(pinned / "data/piano")
    (pinned / "data/guitar/y/C4.wav").write_text("new")
    assert lock.unlike(pinned) == (
        "data/ holds 1 file not pinned yet and not all that is pinned (2 files missing or "
        "changed; 'notedecay fetch' brings published ones): 'notedecay pin' accepts it as it is"
    )
    assert lock.accept(pinned, lambda: dvc(pinned, "add", "-q", "data")) == (
        2, ["piano/x (2 files)"],
    )  # fmt: skip
    assert lock.unlike(pinned) is None


def test_an_instrument_that_is_not_there_is_named_with_the_nearest(pinned):
    with pytest.raises(UserError, match="no instrument 'pinao'; did you mean 'piano'"):
        lock.verify(pinned, "pinao")
    (pinned / "data/banjo/x").mkdir(parents=True)
    (pinned / "data/banjo/x/C4.wav").write_text("new")
    with pytest.raises(UserError, match=r"not pinned: banjo/x/C4\.wav"):
        lock.verify(pinned, "banjo")


def test_another_instrument_s_change_is_not_this_one_s(pinned):
    (pinned / "data/piano/x/C4.wav").write_text("other")
    assert lock.verify(pinned, "guitar") == 1


def test_a_pin_that_dvc_moved_is_put_back(pinned):
    before = (pinned / "data.dvc").read_text()
    (pinned / "data/piano/x/C4.wav").write_text("other")
    dvc(pinned, "add", "-q", "data")
    assert (pinned / "data.dvc").read_text() != before
    with pytest.raises(UserError):
        lock.verify(pinned)
    assert (pinned / "data.dvc").read_text() == before


def test_the_list_is_read_by_md5sum(pinned):
    subprocess.run(["md5sum", "--check", "--quiet", "../data.md5"], cwd=pinned / "data", check=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[:0] + b"0 what\n", r"data\.md5, line 1"),
        (lambda text: b"\x80" + text, "not text in UTF-8; restore it"),
        (lambda text: text.decode().encode("utf-16"), "not text in UTF-8; restore it"),
        (lambda text: b"<<<<<<< HEAD\n" + text, r"data\.md5, line 1"),
        (lambda text: b"".join(x for x in text.splitlines(True) if x[:1] != b"#"), "its head"),
    ],
)
def test_a_damaged_list_is_named_and_data_dvc_kept(pinned, damage, said):
    path, before = pinned / "data.md5", (pinned / "data.dvc").read_bytes()
    path.write_bytes(damage(path.read_bytes()))
    (pinned / "data/piano/x/C4.wav").write_text("other")
    with pytest.raises(UserError, match=said):
        lock.verify(pinned)
    assert (pinned / "data.dvc").read_bytes() == before


@pytest.mark.parametrize("damaged", [b"outs: [", b"\xff\x80", b"", b"<<<<<<< HEAD\n", None])
def test_a_damaged_data_dvc_is_put_back(pinned, damaged):
    path = pinned / "data.dvc"
    before = path.read_bytes()
    path.unlink() if damaged is None else path.write_bytes(damaged)
    assert lock.verify(pinned) == 3
    assert path.read_bytes() == before


def test_the_project_s_pin_agrees_with_itself():
    """DVC's hash of a folder is the MD5 of its sorted list of files."""
    kept = lock.read_lock(ROOT / "data.md5")
    assert kept.dvc == (ROOT / "data.dvc").read_text()
    entries = [{"md5": kept.files[name], "relpath": name} for name in sorted(kept.files)]
    folder = hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest()
    assert f"md5: {folder}.dir" in kept.dvc
    assert sum(name.endswith((".flac", ".wav")) for name in kept.files) == 125
