"""Fixtures of gate and versions: one store for a module; of the gate, an instrument for a test."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from notedecay.core.config import Instrument
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips, write_clips
from notedecay.experiments.dataset import Dataset
from notedecay.models import Signal, create
from notedecay.registry import versions
from notedecay.registry.gate import Gate
from notedecay.tracking.runs import Tracker
from tests import toy
from tests.registry.bells import NAME, trained
from tests.registry.gates import NUMBERS, RATE, SETTINGS, TEST, TRAIN, Build


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Five bells as recordings."""
    folder = tmp_path_factory.mktemp("project") / "data"
    toy.make_notes(folder / "bells/own", range(57, 62))
    return folder


@pytest.fixture(scope="module")
def notes(data):
    return catalogue.build(data, "bells", highpass_hz=25.0)


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store") / "mlruns"


@pytest.fixture
def signal() -> Signal:
    """Of an instrument of the test's own: one store serves all."""
    return Signal(instrument=f"bells{next(NUMBERS)}", rate=RATE)


@pytest.fixture
def tracker(mlruns, signal) -> Tracker:
    return Tracker(mlruns, signal.instrument, {})


@pytest.fixture
def gate(data, notes, tracker, signal, tmp_path) -> Build:
    """Builds a gate from figures that the stage ``compare`` might have written."""
    count = 0

    def build(
        figures: dict[str, float | None],
        rate: int = RATE,
        train: tuple[int, ...] = TRAIN,
        test: tuple[int, ...] = TEST,
        **register: Any,
    ) -> Gate:
        nonlocal count
        count += 1
        results = tmp_path / f"results{count}"
        results.mkdir()
        used = [note for note in notes if note.pitch in (*train, *test)]
        parts = {
            name: [note.id for note in used if note.pitch in pitches]
            for name, pitches in (("train", train), ("validation", train[:1]), ("test", test))
        }
        clips = list(prepare_clips(data, used, rate=rate, seconds=1.4, highpass_hz=25.0))
        catalogue.write(notes, results / "catalogue.json")
        split.write(parts, results / "split.json")
        write_clips(clips, results / "clips.npz")
        own_signal = signal.model_copy(update={"rate": rate})
        runs = {}
        for name in figures:
            model = create(name, own_signal, SETTINGS[name])
            (results / "candidates" / name).mkdir(parents=True)
            model.save(results / "candidates" / name)
            with tracker.run(name, "train" if model.learned else "baseline") as run:
                pass
            runs[name] = run.id
        unseen = {
            name: {"unseen": {"score": value, "notes": len(test)}}
            for name, value in figures.items()
        }
        (results / "scores.json").write_text(json.dumps(unseen))
        (results / "runs.json").write_text(json.dumps(runs))
        config = copy.deepcopy(toy.INSTRUMENT)
        config["register"] |= register
        config["evaluate"]["baselines"] = {n: SETTINGS[n] for n in ("silence", "burg", "esprit")}
        dataset = Dataset(own_signal, clips, parts, results / "clips.npz")
        return Gate(tracker, dataset, Instrument.model_validate(config), results, data)

    return build


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "lstm"
    folder.mkdir()
    trained().save(folder)
    return folder


@pytest.fixture(scope="module")
def version(tracker, saved):
    with tracker.run("train lstm", "train") as run:
        pass
    return versions.register(tracker.client, saved, run.id, NAME, {"model": "lstm"})
