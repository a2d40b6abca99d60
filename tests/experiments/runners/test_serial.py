"""The serial runner: one trial after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.runners import serial
from notedecay.experiments.runners.base import Fault
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from tests.experiments.runners.fakes import fake, name


def execute(
    trial: Trial,
    store: TrialStore,
    device: str,
    report: Callable[[int, int, Mapping[str, float]], None],
) -> None:
    """Two epochs; a trial named ``mend`` fails."""
    if trial.model == "mend":
        raise UserError("no note 'C9'")
    report(1, 2, {"train_loss": 0.5})
    report(2, 2, {"train_loss": 0.4})
    store.folder(trial).mkdir(parents=True)
    (store.folder(trial) / device).touch()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialStore:
    monkeypatch.setattr(serial, "execute", execute)
    return TrialStore(tmp_path)


Event = tuple[str, int | Fault | None]


def run(store: TrialStore, trials: list[Trial | None]) -> list[Event]:
    """Run trials; give their epochs and ends."""
    events: list[Event] = []

    def on_epoch(trial: Trial, epoch: int, of: int, metrics: Mapping[str, float]) -> None:
        assert (of, metrics["train_loss"]) == (2, [0.5, 0.4][epoch - 1])
        events.append((name(trial), epoch))

    def on_end(trial: Trial, fault: Fault | None) -> None:
        events.append((name(trial), fault))

    serial.SerialRunner(store, "cuda:1").run(trials, on_epoch, on_end)
    return events


def test_trials_run_in_order_and_report_their_epochs(store: TrialStore) -> None:
    both = [fake("one", 1), fake("two", 2)]
    assert run(store, [both[0], None, both[1]]) == [
        ("1-one", 1), ("1-one", 2), ("1-one", None), ("2-two", 1), ("2-two", 2), ("2-two", None),
    ]  # fmt: skip
    assert all((store.folder(trial) / "cuda:1").exists() for trial in both)


def test_an_error_ends_all_trials(store: TrialStore) -> None:
    trials = [fake("one", 1), fake("mend", 2), fake("three", 3)]
    with pytest.raises(UserError, match="no note 'C9'"):
        run(store, trials)
    assert [store.folder(trial).exists() for trial in trials] == [True, False, False]
