"""Rows, claims and the document, from results that are made up here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from notedecay.experiments.scale import FULL, QUICK, REDUCED, Scale
from notedecay.studies.paper import document
from notedecay.studies.paper.claims import claims
from notedecay.studies.paper.summary import merged
from notedecay.studies.paper.table import Row, rows


def result(seen: float, unseen: float, attractor: float, **more: Any) -> dict[str, Any]:
    """What is kept of a training whose errors are these."""

    def figures(error: float) -> dict[str, float | None]:
        return {
            "score": 0.1, "decay_ok": 1 - error, "missing": 0.0, "pitch_cents": None,
            "envelope_db": 1.0, "excess_noise_db": 0.0, "join_snr_db": 20.0, "lsd_db": 3.0,
            "tail_db": 0.0, "attractor": attractor, "notes_judged": 9.0,
        }  # fmt: skip

    return {
        "figures": {"seen": figures(seen), "unseen": figures(unseen)},
        "teacher_forced": {"seen": seen, "unseen": unseen}, "warnings": None,
        "c5": {"seen": 1 - seen, "unseen": 1 - unseen}, "code": "1", "ended": "complete",
        "loss": seen, "device": "cpu", "machine": "here", "seconds": 36.0,
        "notes": "guitar 3 notes (own)", **more,
    }  # fmt: skip


def group(
    name: str, results: Sequence[dict[str, Any]], scale: Scale = REDUCED
) -> list[dict[str, Any]]:
    return [
        {"experiment": name, "scale": scale.name, "seed": seed, "folder": f"{name}-{seed}", **one}
        for seed, one in enumerate(results)
    ]


def gathered(**results: Sequence[dict[str, Any]]) -> list[Row]:
    every = [one for name, r in results.items() for one in group(name.replace("_", "-"), r)]
    return rows(every, Path("results"))


ONE_SOUND = ["the continuations no longer depend on the prime: those of 8 pitches are one sound"]


def test_means_come_with_their_spread() -> None:
    (row,) = gathered(lstm_512=[result(e, 0.5, 0.1) for e in (0.1, 0.2, 0.3)])
    assert row.measure("seen", "decay_ok").text(2) == "0.80 ± 0.10"
    assert row.teacher_forced("seen").mean == pytest.approx(0.2)
    assert row.measure("seen", "pitch_cents").text(1) == "-"
    assert row.size == "reduced: 128 units, 180 epochs, 3 seeds"


def test_a_quick_result_gives_way_to_a_larger_one() -> None:
    one = [result(0.1, 0.2, 0.1)]
    every = [
        *group("lstm-512", one, QUICK),
        *group("gru-512", one, QUICK),
        *group("lstm-512", one, REDUCED),
        *group("lstm-512", one, FULL),
        *group("guitar-burg", one, FULL),
        *group("guitar-burg", one, QUICK),
        *group("of-an-earlier-version", one, QUICK),
    ]
    assert [(r.experiment.name, r.scale.name) for r in rows(every, Path("results"))] == [
        ("lstm-512", "full"), ("lstm-512", "reduced"), ("gru-512", "quick"),
        ("guitar-burg", "full"),
    ]  # fmt: skip


def answer(rows: Sequence[Row], word: str) -> str:
    (found,) = [claim.answer for claim in claims(rows) if word in claim.question]
    return found


def test_answers_are_those_of_the_figures() -> None:
    found = gathered(
        lstm_512=[result(0.2, 0.5, 0.1), result(0.21, 0.51, 0.1)],
        lstm_unseen_c5=[result(0.1, 0.7, 0.4), result(0.1, 0.72, 0.4)],
        cnn=[result(0.15, 0.5, 0.4, warnings=[]), result(0.16, 0.5, 0.4, warnings=[])],
        cnn_frozen=[
            result(0.9, 0.9, 1.0, warnings=ONE_SOUND),
            result(0.8, 0.9, 1.0, warnings=ONE_SOUND),
        ],
        spectral=[result(0.1, 0.8, 0.1), result(0.1, 0.7, 0.1)],
        guitar_esprit=[result(0.4, 0.6, 0.1)],
    )
    assert "it learns, better than the LSTM" in answer(found, "CNN-LSTM learn?")
    assert "in 0 of 2 trainings" in answer(found, "CNN-LSTM learn?")
    assert "do not depend on the prime in 2 of 2 trainings" in answer(found, "statistics")
    assert "it hurts" in answer(found, "spectrum")
    assert answer(found, "ESPRIT").endswith("yes.")
    assert answer(found, "C5") == (
        "Decay ok on C5 takes among the training notes 0.80 ± 0.01, on the same takes "
        "when C5 is held out 0.29 ± 0.01: better as training notes."
    )


def test_other_figures_give_other_answers() -> None:
    found = gathered(
        lstm_512=[result(0.2, 0.7, 0.1), result(0.2, 0.7, 0.1)],
        cnn=[result(0.4, 0.5, 0.99, warnings=ONE_SOUND), result(0.4, 0.5, 0.99, warnings=[])],
        spectral=[result(0.1, 0.3, 0.1), result(0.1, 0.4, 0.1)],
        guitar_esprit=[result(0.4, 0.6, 0.1)],
    )
    assert "to 2.0 times the LSTM's error" in answer(found, "CNN-LSTM learn?")
    assert "in 1 of 2 trainings" in answer(found, "CNN-LSTM learn?")
    assert "it helps" in answer(found, "spectrum")
    assert answer(found, "ESPRIT").endswith("no.")


def test_the_pair_with_more_seeds_of_both_is_compared() -> None:
    one, two = [result(0.2, 0.4, 0.1)], [result(0.2, 0.4, 0.1), result(0.2, 0.41, 0.1)]
    every = [
        *group("lstm-512", one * 3, FULL), *group("spectral", one, FULL),
        *group("lstm-512", two), *group("spectral", [result(0.2, 0.9, 0.1)] * 2),
    ]  # fmt: skip
    assert "it hurts" in answer(rows(every, Path("results")), "spectrum")


def test_a_difference_within_the_deviations_is_none() -> None:
    found = gathered(
        lstm_512=[result(0.2, e, 0.1) for e in (0.4, 0.5)],
        spectral=[result(0.2, e, 0.1) for e in (0.45, 0.6)],
    )
    assert "no difference beyond the deviation over seeds" in answer(found, "spectrum")


def test_one_seed_each_is_undecided() -> None:
    found = gathered(lstm_512=[result(0.2, 0.4, 0.1)], spectral=[result(0.2, 0.9, 0.1)])
    assert "undecided with one seed" in answer(found, "spectrum")


def test_nothing_is_claimed_without_figures() -> None:
    assert claims([]) == []


def test_the_document_shows_figures_of_the_authors_audio(tmp_path: Path) -> None:
    found = gathered(lstm_512=[result(0.2, 0.5, 0.1, warnings=["layer inward sleeps"])])
    found[0].results[0]["figures"]["unseen"]["notes_judged"] = 2.0
    audio = {
        "experiment": 4, "note": "C5", "seen": True, "prime_ms": 333, "decay_ok": 0.25,
        "missing": 0.5, "pitch_cents": 1.0, "envelope_db": 7.0, "excess_noise_db": 3.0,
        "lsd_db": 10.0,
    }  # fmt: skip
    document.write(found, [audio, audio | {"decay_ok": 0.0}], tmp_path)
    text = (tmp_path / "paper.md").read_text()
    assert "| .042 | 0.12, 0.50 | reduced: 128 units" in text
    assert "- `lstm-512` (reduced): layer inward sleeps" in text
    assert "0.80 / 0.50 (2 notes)" in text
    assert "Not run yet" in text
    assert "`cello-512`" in text
    assert "guitar 3 notes (own)" in text


def test_a_training_that_diverged_and_a_gpu_are_named() -> None:
    (row,) = gathered(
        lstm_512=[result(0.1, 0.2, 0.1, ended="training diverged"), result(0.1, 0.2, 0.1,
                                                                           device="cuda")]
    )  # fmt: skip
    assert row.size == "reduced: 128 units, 180 epochs, 2 seeds, on cuda, 1 diverged"


def test_new_summaries_replace_committed_ones() -> None:
    old = group("lstm-512", [result(0.1, 0.2, 0.1), result(0.3, 0.4, 0.1)])
    new = group("lstm-512", [result(0.5, 0.6, 0.1)])
    both = merged(old, new)
    assert [(s["seed"], s["loss"]) for s in both] == [(0, 0.5), (1, 0.3)]
