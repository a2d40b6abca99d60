"""A job: what it leaves, and that it goes on where it was interrupted."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from notedecay.experiments.execute import work
from notedecay.experiments.trial import RESULT, Job, unfinished
from notedecay.studies.paper.experiments import FLUTE
from notedecay.studies.paper.plan import QUICK, choose, plan
from notedecay.training import TrainingDiverged
from tests.toy import make_notes


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    data = tmp_path_factory.mktemp("data")
    make_notes(data / "flute/own", range(66, 78))
    planned, _ = plan(choose(["flute-512"], main=False), QUICK, data, data / "results")
    job = planned[0].job
    small = {"units": 32, "epochs": 12, "resolution": 30.0}
    return replace(job, settings={**job.settings, **small})


def never(number: int, of: int) -> None:
    """Nobody is told."""


def result(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / RESULT).read_text())
    return {k: v for k, v in found.items() if k != "seconds"}


def test_it_leaves_figures_audio_and_pictures(job: Job, tmp_path: Path) -> None:
    epochs: list[tuple[int, int]] = []
    work(job, tmp_path / "job", "cpu", lambda n, of: epochs.append((n, of)))
    assert epochs == [(n, 12) for n in range(1, 13)]
    found = json.loads((tmp_path / "job" / RESULT).read_text())
    assert found["ended"] == "complete"
    assert found["losses"][-1] < found["losses"][0]
    assert found["teacher_forced"]["seen"] < 1.2
    assert set(found["figures"]) == {"seen", "unseen"}
    assert len(found["notes"]["unseen"]) == len(job.unseen)
    heard = {path.parent.parent.name for path in (tmp_path / "job/listen").rglob("with_prime.wav")}
    assert heard == {"seen", "unseen"}
    assert not unfinished(tmp_path / "job").exists()


def test_an_interrupted_job_goes_on_and_ends_the_same(job: Job, tmp_path: Path) -> None:
    work(job, tmp_path / "whole", "cpu", never)

    def interrupt(number: int, _: int) -> None:
        if number == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(job, tmp_path / "broken", "cpu", interrupt)
    assert not (tmp_path / "broken").exists()
    epochs: list[int] = []
    work(job, tmp_path / "broken", "cpu", lambda n, _: epochs.append(n))
    assert epochs == [11, 12]
    assert result(tmp_path / "broken") == result(tmp_path / "whole")


def test_its_seconds_are_those_of_all_sessions(job: Job, tmp_path: Path) -> None:
    def interrupt(number: int, _: int) -> None:
        if number == 11:
            raise KeyboardInterrupt
        time.sleep(0.3)

    plain = replace(job, illustrated=False)
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        work(plain, tmp_path / "job", "cpu", interrupt)
    again = time.perf_counter()
    work(plain, tmp_path / "job", "cpu", never)
    ended = time.perf_counter()
    kept = json.loads((tmp_path / "job" / RESULT).read_text())["seconds"]
    assert 9 * 0.3 + (ended - again) / 2 < kept < ended - began


def test_a_training_that_diverges_is_a_result_too(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise TrainingDiverged("training diverged in epoch 3")

    monkeypatch.setattr("notedecay.experiments.execute.fit", diverge)
    work(job, tmp_path / "job", "cpu", never)
    found = json.loads((tmp_path / "job" / RESULT).read_text())
    assert found["ended"] == "training diverged in epoch 3"
    assert 0 <= found["figures"]["unseen"]["score"] < 0.5


def test_the_oracle_needs_no_training(job: Job, tmp_path: Path) -> None:
    work(replace(job, continuator="oracle", settings={}), tmp_path / "job", "cpu", never)
    found = json.loads((tmp_path / "job" / RESULT).read_text())
    assert found["figures"]["unseen"]["decay_ok"] > 0.9
    assert "losses" not in found


def test_the_same_job_has_the_same_key_wherever_its_notes_lie(job: Job) -> None:
    assert replace(job, clips=Path("/elsewhere") / job.clips.name).key == job.key
    assert replace(job, seed=1).key != job.key
    assert replace(job, signal=FLUTE.signal(0.2)).key != job.key
