"""The store of trials: several processes share it, and none ruins what another does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.store import TrialStore
from tests.experiments.bells import make_clips
from tests.experiments.runners.fakes import fake
from tests.experiments.runners.test_pool import ROOT

TWICE = """
import sys
from pathlib import Path
from notedecay.experiments.execute import execute
from notedecay.experiments.store import TrialStore
from tests.experiments.bells import make_trial
epochs = []
trial, store = make_trial(Path(sys.argv[1])), TrialStore(Path(sys.argv[2]))
execute(trial, store, "cpu", lambda n, of, _: bool(epochs.append(n)))
print(len(epochs), store.result(trial)["ended"])
"""


def test_of_two_processes_with_the_same_trial_one_runs_it(tmp_path: Path) -> None:
    clips = make_clips(tmp_path / "clips.npz")
    command = [sys.executable, "-c", TWICE, str(clips), str(tmp_path / "trials")]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    printed = sorted(process.communicate()[0].strip() for process in both)
    assert printed == ["0 complete", "6 complete"]


def test_what_a_killed_process_left_half_written_is_gone_once_the_trial_is_locked(
    tmp_path: Path,
) -> None:
    store, trial = TrialStore(tmp_path), fake("lstm", 7)
    unfinished = store.unfinished(trial)
    unfinished.mkdir()
    (unfinished / "history.json").write_text('{"history": []}')
    (unfinished / ".history.json.123.partial").write_text("{")
    (tmp_path / ".lstm-7.123.partial").mkdir()
    (tmp_path / ".lstm-77.123.partial").mkdir()
    with store.locked(trial):
        left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left == {
        ".lstm-77.123.partial", ".locks", ".locks/lstm-7.lock",
        "lstm-7.unfinished", "lstm-7.unfinished/history.json",
    }  # fmt: skip


def test_a_damaged_history_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    store, trial = TrialStore(tmp_path), fake("lstm", 7)
    store.unfinished(trial).mkdir()
    (store.unfinished(trial) / "history.json").write_text("{")
    with pytest.raises(UserError, match=r"history\.json is damaged; to start that work again, run"):
        store.history(trial)


def test_a_removed_trial_leaves_nothing(tmp_path: Path) -> None:
    store, trial = TrialStore(tmp_path), fake("lstm", 7)
    for folder in (store.folder(trial), store.unfinished(trial)):
        folder.mkdir()
    store.remove(trial)
    assert list(tmp_path.iterdir()) == []
