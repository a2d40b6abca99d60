"""From a list of trials to their results: each is run at most once, and all are tracked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from notedecay.experiments.progress import TrialBars
from notedecay.experiments.run import Listed, run_trials
from notedecay.experiments.runners.base import DiedFault, Fault, OnEnd, OnEpoch, Runner, Waiting
from notedecay.experiments.sink import TrialSink
from notedecay.experiments.store import TrialStore
from notedecay.experiments.trial import Trial
from tests.experiments.bells import make_clips, make_trial
from tests.experiments.recorded import RecordingSink, leave


class Scripted(Runner):
    """Leaves a result for each trial after one epoch, or fails: the faults of a seed in turn."""

    def __init__(self, store: TrialStore, faults: Mapping[int, list[Fault]] | None = None) -> None:
        self.store, self.faults = store, faults or {}
        self.ran: list[int | None] = []

    def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:
        for trial in trials:
            self.ran.append(trial.seed if trial else None)
            if trial is None:
                continue
            on_epoch(trial, 1, 2, {"train_loss": 0.9, "checkpoint.score": 0.25})
            faults = self.faults.get(trial.seed)
            fault = faults.pop(0) if faults else None
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
    trials: Iterable[Listed | None], runner: Scripted, sink: RecordingSink, **given: Any
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
    runner, results = Scripted(store, {2: [fault]}), []
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


def test_a_trial_whose_process_dies_is_tried_three_times_at_most(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    died, mended = DiedFault("killed", 2), DiedFault("killed", 2)
    runner, lines = Scripted(store, {1: [died] * 3, 2: [mended] * 2}), []
    failed = run(
        listed(clips, 1, 2, 3), runner, sink,
        on_fault=lambda one, fault: lines.append((one.name, fault.line)),
    )  # fmt: skip
    assert runner.ran == [1, 1, 1, 2, 2, 2, 3]
    assert failed == {"trial 1": Fault("killed (tried 3 times)", 2)}
    assert lines == [("trial 1", "killed (tried 3 times)")]
    assert sink.calls.count(("begin", 2)) == sink.calls.count(("end", 2)) == 1


def test_it_is_tried_again_when_no_other_trial_runs(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    """Two at once: the first dies while the second runs, and the third waits for its retry."""
    order: list[str] = []

    class TwoAtOnce(Scripted):
        def run(self, trials: Waiting, on_epoch: OnEpoch, on_end: OnEnd) -> None:  # noqa: ARG002
            asked = iter(trials)

            def begin() -> Trial | None:
                trial = next(asked)
                order.append(f"begin {trial.seed}" if trial else "wait")
                return trial

            def end(trial: Trial | None, fault: Fault | None) -> None:
                assert trial is not None
                order.append(f"end {trial.seed}")
                if fault is None:
                    leave(self.store, trial)
                on_end(trial, fault)

            first, second = begin(), begin()
            end(first, DiedFault("killed", 2))
            assert begin() is None
            end(second, None)
            again = begin()
            assert begin() is None
            end(again, None)
            end(begin(), None)
            assert next(asked, None) is None

    run(listed(clips, 1, 2, 3), TwoAtOnce(store), sink)
    assert order == [
        "begin 1", "begin 2", "end 1", "wait", "end 2", "begin 1", "wait", "end 1", "begin 3",
        "end 3",
    ]  # fmt: skip


def test_none_says_that_no_trial_can_start_yet(
    clips: Path, store: TrialStore, sink: RecordingSink
) -> None:
    first, second = listed(clips, 1, 2)
    runner = Scripted(store)
    run([first, None, second], runner, sink)
    assert runner.ran == [1, None, 2]


def test_epochs_are_drawn(clips: Path, store: TrialStore, sink: RecordingSink) -> None:
    runner, bars = Scripted(store), Bars()
    run(listed(clips, 1, 2), runner, sink, bars=bars)
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
