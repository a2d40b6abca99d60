"""From a list of trials to their results: each is run at most once, and all are tracked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import Fault, OnEnd, OnEpoch, Runner
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from tests.experiments.bells import make_clips, make_trial
from tests.experiments.recorded import RecordingSink, leave


class Scripted(Runner):
    """Leaves a result for each trial after one epoch, or fails if its seed has a fault."""

    def __init__(self, store: TrialStore, faults: Mapping[int, Fault] | None = None) -> None:
        self.store, self.faults = store, faults or {}
        self.ran: list[int] = []
        self.answers: list[bool] = []

    def run(self, trials: Iterable[Trial], on_epoch: OnEpoch, on_end: OnEnd) -> None:
        for trial in trials:
            self.ran.append(trial.seed)
            metrics = {"train_loss": 0.9, "checkpoint.score": 0.25}
            self.answers.append(on_epoch(trial, 1, 2, metrics))
            fault = self.faults.get(trial.seed)
            if fault is None:
                leave(self.store, trial)
            on_end(trial, fault)


class Bars(TrialBars):
    """Notes what is drawn."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.drawn: list[tuple[str, str | None]] = []

    def epoch(self, name: str, number: int, of: int, note: str | None) -> None:
        assert (number, of) == (1, 2)
        self.drawn.append((name, note))

    def end(self, name: str) -> None:
        self.drawn.append((name, "end"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data") / "clips.npz")


@pytest.fixture
def store(tmp_path: Path) -> TrialStore:
    return TrialStore(tmp_path / "trials")


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


def listed(clips: Path, *seeds: int) -> list[Listed]:
    return [Listed(make_trial(clips, seed=seed), f"trial {seed}") for seed in seeds]


def run(
    trials: Iterable[Listed], runner: Scripted, sink: RecordingSink, **given: Any
) -> dict[str, Fault]:
    bars = given.pop("bars", Bars())
    return run_trials(trials, runner, runner.store, cast(TrialSink, sink), bars, **given)


def test_a_stored_trial_is_not_run_but_tracked_and_passed_on(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    known, new = listed(clips, 1, 2)
    leave(store, known.trial, score=0.75)
    runner, results = Scripted(store), []
    failed = run(
        [known, new], runner, sink,
        on_result=lambda one, found, run_id: results.append((one.name, found["score"], run_id)),
    )  # fmt: skip
    assert failed == {}
    assert runner.ran == [2]
    assert results == [("trial 1", 0.75, "run of 1"), ("trial 2", 0.5, "run of 2")]
    assert sink.calls == [
        ("begin", 1), ("end", 1), ("begin", 2), ("epoch", 2), ("end", 2), ("close", 0),
    ]  # fmt: skip


def test_a_failed_trial_is_reported_by_name_and_the_others_run(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    fault = Fault("no memory: free some", 2)
    runner, results = Scripted(store, {2: fault}), []
    failed = run(
        listed(clips, 1, 2, 3), runner, sink,
        on_result=lambda one, *_: results.append(one.name),
    )  # fmt: skip
    assert failed == {"trial 2": fault}
    assert runner.ran == [1, 2, 3]
    assert results == ["trial 1", "trial 3"]
    assert [call for call in sink.calls if call[1] == 2] == [
        ("begin", 2), ("epoch", 2), ("fail", 2),
    ]  # fmt: skip


def test_a_duplicate_is_run_and_tracked_once(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    (first,) = listed(clips, 1)
    again = Listed(make_trial(clips, seed=1), "the same under another name")
    runner, results = Scripted(store), []
    run([first, again], runner, sink, on_result=lambda one, *_: results.append(one.name))
    assert runner.ran == [1]
    assert results == ["trial 1"]
    assert sink.calls.count(("begin", 1)) == sink.calls.count(("end", 1)) == 1


def test_epochs_are_drawn_and_may_end_a_trial(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    runner, bars = Scripted(store), Bars()
    run(
        listed(clips, 1, 2), runner, sink, bars=bars,
        on_epoch=lambda one, epoch, metrics: (
            one.name == "trial 2" and epoch == 1 and metrics["train_loss"] == 0.9
        ),
    )  # fmt: skip
    assert runner.answers == [False, True]
    assert bars.drawn == [
        ("trial 1", "validation 0.250"), ("trial 1", "end"),
        ("trial 2", "validation 0.250"), ("trial 2", "end"),
    ]  # fmt: skip


def test_the_next_trial_is_asked_for_when_earlier_results_are_passed_on(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    results: list[str] = []
    seen: list[int] = []

    def asked() -> Iterator[Listed]:
        for one in listed(clips, 1, 2, 3):
            seen.append(len(results))
            yield one

    run(asked(), Scripted(store), sink, on_result=lambda one, *_: results.append(one.name))
    assert seen == [0, 1, 2]
