"""Rows, claims and the document, from results that are made up here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from notedecay.jobs.job import RESULT, Job
from notedecay.paper import document
from notedecay.paper.claims import claims
from notedecay.paper.experiments import EXPERIMENTS
from notedecay.paper.plan import FULL, QUICK, REDUCED, Planned, Scale
from notedecay.paper.table import Row, rows

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}


def result(seen: float, unseen: float, attractor: float, **more: Any) -> dict[str, Any]:
    def figures(error: float) -> dict[str, float | None]:
        return {
            "score": 0.1, "decay_ok": 1 - error, "missing": 0.0, "pitch_cents": None,
            "envelope_db": 1.0, "excess_noise_db": 0.0, "join_snr_db": 20.0,
            "attractor": attractor,
        }  # fmt: skip

    return {
        "figures": {"seen": figures(seen), "unseen": figures(unseen)},
        "notes": {
            "seen": [{"pitch": 72, "decay_ok": 1 - seen}, {"pitch": 60, "decay_ok": 0.0}],
            "unseen": [{"pitch": 72, "decay_ok": None}, {"pitch": 72, "decay_ok": 1 - unseen}],
        },
        "teacher_forced": {"seen": seen, "unseen": unseen},
        "losses": [1.0, seen], "device": "cpu", "machine": "here", "seconds": 36.0, **more,
    }  # fmt: skip


def planned(
    folder: Path, name: str, results: Sequence[dict[str, Any]], scale: Scale = REDUCED
) -> list[Planned]:
    made = []
    experiment = BY_NAME[name]
    for seed, values in enumerate(results):
        job = Job(
            experiment.continuator, scale.settings(experiment.settings),
            experiment.dataset.signal(0.33), Path("clips.npz"), ("a",), ("a",), ("b",), None, seed,
        )  # fmt: skip
        own = folder / scale.name / f"{name}-{seed}"
        own.mkdir(parents=True)
        (own / RESULT).write_text(json.dumps(values))
        made.append(Planned(experiment, scale, job, own, "3 notes (own)"))
    return made


def gathered(folder: Path, **results: Sequence[dict[str, Any]]) -> list[Row]:
    every = [
        one
        for name, values in results.items()
        for one in planned(folder, name.replace("_", "-"), values)
    ]
    return rows(every)


def test_means_come_with_their_spread(tmp_path: Path) -> None:
    (row,) = gathered(tmp_path, lstm_512=[result(e, 0.5, 0.1) for e in (0.1, 0.2, 0.3)])
    assert row.measure("seen", "decay_ok").text(2) == "0.80 ± 0.10"
    assert row.teacher_forced("seen").mean == pytest.approx(0.2)
    assert row.measure("seen", "pitch_cents").text(1) == "-"
    assert row.size == "reduced: 128 units, 180 epochs, 3 seeds"


def test_a_quick_result_gives_way_to_a_larger_one(tmp_path: Path) -> None:
    every = [
        *planned(tmp_path, "lstm-512", [result(0.1, 0.2, 0.1)], QUICK),
        *planned(tmp_path, "gru-512", [result(0.1, 0.2, 0.1)], QUICK),
        *planned(tmp_path, "lstm-512", [result(0.1, 0.2, 0.1)], REDUCED),
        *planned(tmp_path, "lstm-512", [result(0.1, 0.2, 0.1)], FULL),
    ]
    assert [(r.experiment.name, r.scale.name) for r in rows(every)] == [
        ("gru-512", "quick"), ("lstm-512", "reduced"), ("lstm-512", "full"),
    ]  # fmt: skip


def answer(rows: Sequence[Row], word: str) -> str:
    (found,) = [claim.answer for claim in claims(rows) if word in claim.question]
    return found


def test_claims_follow_the_figures(tmp_path: Path) -> None:
    found = gathered(
        tmp_path / "one",
        lstm_512=[result(0.2, 0.5, 0.1), result(0.21, 0.5, 0.1)],
        lstm_unseen_c5=[result(0.1, 0.7, 0.4)],
        cnn=[result(0.15, 0.5, 0.4)],
        cnn_frozen=[result(0.9, 0.9, 1.0)],
        spectral=[result(0.1, 0.8, 0.1), result(0.1, 0.7, 0.1)],
        guitar_esprit=[result(0.4, 0.6, 0.1)],
    )
    assert "it learns as well or better" in answer(found, "CNN-LSTM learn nothing")
    assert "the sound depends on the prime" in answer(found, "CNN-LSTM learn nothing")
    assert "one sound for every prime" in answer(found, "statistics")
    assert "it hurts" in answer(found, "spectrum")
    assert answer(found, "extrapolation").endswith("yes.")
    assert answer(found, "C5") == (
        "Decay ok on the C5 takes that the LSTM has learned 0.80 ± 0.01, on the same takes "
        "when C5 was kept from it 0.30: better where learned."
    )
    other = gathered(
        tmp_path / "two",
        lstm_512=[result(0.2, 0.7, 0.1)],
        cnn=[result(0.4, 0.5, 0.99)],
        spectral=[result(0.1, 0.3, 0.1), result(0.1, 0.4, 0.1)],
        guitar_esprit=[result(0.4, 0.6, 0.1)],
    )
    assert "to 2.0 times that" in answer(other, "CNN-LSTM learn nothing")
    assert "it helps" in answer(other, "spectrum")
    assert answer(other, "extrapolation").endswith("no.")


def test_a_difference_within_the_spread_is_none(tmp_path: Path) -> None:
    found = gathered(
        tmp_path,
        lstm_512=[result(0.2, e, 0.1) for e in (0.4, 0.5)],
        spectral=[result(0.2, e, 0.1) for e in (0.45, 0.6)],
    )
    assert "no difference beyond the spread" in answer(found, "spectrum")


def test_one_seed_each_decides_nothing(tmp_path: Path) -> None:
    found = gathered(tmp_path, lstm_512=[result(0.2, 0.4, 0.1)], spectral=[result(0.2, 0.9, 0.1)])
    assert "from one seed each" in answer(found, "spectrum")


def test_nothing_is_claimed_without_figures() -> None:
    assert claims([]) == []


def test_the_document_shows_what_the_authors_audio_got(tmp_path: Path) -> None:
    found = gathered(tmp_path, lstm_512=[result(0.2, 0.5, 0.1, warnings=["layer inward sleeps"])])
    theirs = {
        "experiment": 4, "note": "C5", "seen": True, "prime_ms": 333, "decay_ok": 0.25,
        "missing": 0.5, "pitch_cents": 1.0, "envelope_db": 7.0, "excess_noise_db": 3.0,
        "lsd_db": 10.0,
    }  # fmt: skip
    document.write(found, [theirs, theirs | {"decay_ok": 0.0}], {"cello-512": "no cello"}, tmp_path)
    text = (tmp_path / "paper.md").read_text()
    assert "| .042 | 0.12, 0.50 | reduced: 128 units" in text
    assert "- `lstm-512` (reduced): layer inward sleeps" in text
    assert "- cello-512: no cello" in text
    assert "guitar 3 notes (own)" in text
