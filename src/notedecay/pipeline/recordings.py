"""Download and import of recordings into the data folder, and its pin.

What reads recordings or fetches them is imported when it is needed: mostly all are there already.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from notedecay.core.commands import pasteable
from notedecay.core.config import load_params
from notedecay.core.errors import UserError, count
from notedecay.core.project import Project
from notedecay.data.sources import lock

Notify = Callable[[str], None]
"""Called with remarks, line by line."""


def fetch_pinned(project: Project, notify: Notify) -> None:
    """Fetch the recordings that data.dvc pins, if any is missing or changed.

    Parameters
    ----------
    project : Project
        Has a pin.
    notify : callable
        Called with remarks, line by line.

    Raises
    ------
    UserError
        For recordings that cannot be fetched, or differ from the pinned ones.
    """
    if not _matches(project.root):
        from notedecay.data.sources import packages

        pinned = packages.packages_of(lock.read_lock(project.root / lock.LIST).files)
        packages.fetch(pinned, project.data, say=notify, again=lock.damaged(project.root))
    notify(f"data/: {lock.verify(project.root)} files, as data.dvc pins them")


def _matches(root: Path) -> bool:
    try:
        lock.verify(root)
    except UserError:
        return False
    return True


def fetch(project: Project, sources: Sequence[str], instrument: str | None, notify: Notify) -> None:
    """Fetch recordings of named sources, or import a folder of the user.

    Parameters
    ----------
    project : Project
        Whose data folder is filled.
    sources : sequence of str
        Names of sources, or folders.
    instrument : str or None
        The instrument of a folder.
    notify : callable
        Called with remarks, line by line.

    Raises
    ------
    UserError
        For a source that does not exist, and a folder that cannot be used.
    """
    from notedecay.data.sources import packages

    for source in sources:
        if Path(source).is_dir():
            _fetch_folder(project, source, instrument, notify)
        elif Path(source).name == source:
            packages.fetch([source], project.data, say=notify)
        else:
            raise UserError(f"{source}: no such folder of recordings")
    if line := lock.unlike(project.root):
        notify(line)


def _fetch_folder(project: Project, source: str, instrument: str | None, notify: Notify) -> None:
    if instrument is None:
        command = pasteable("notedecay", "fetch", "--source", source, "--instrument", "banjo")
        raise UserError(f"name the instrument of {source}: {command}")
    from notedecay.data.sources import folder

    imported = folder.import_folder(Path(source), instrument, project.data)
    for line in imported.left_out:
        notify(f"left out: {line}")
    for line in imported.kept:
        notify(f"kept: {line}")
    added = count(imported.added, "recording")
    notify(f"{imported.folder}: {added} added, {imported.known} already there")
    if instrument not in load_params(project.params).instruments:
        command = pasteable("notedecay", "add", instrument)
        notify(f"params.yaml has no instrument '{instrument}' yet: run '{command}'")


def pin(project: Project, notify: Notify) -> None:
    """Pin the data folder in its present state: write data.dvc and data.md5.

    Raises
    ------
    UserError
        If DVC cannot add the folder, with its reason.
    """
    files, dropped = lock.accept(project.root, lambda: _dvc_add(project.root))
    for one in dropped:
        notify(f"no longer pinned, not in data/: {one}")
    notify(f"pinned {files} files; commit data.dvc and data.md5")


def _dvc_add(root: Path) -> None:
    command = [sys.executable, "-m", "dvc", "add", "data"]  # --quiet would hide its reason
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        reasons = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        reason = " ".join(reasons).removeprefix("ERROR: ")
        hint = f"; run {pasteable('git', 'init', root)}" if "not a git repo" in reason else ""
        raise UserError(f"dvc add data failed: {reason}{hint}")
