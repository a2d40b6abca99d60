"""The authors' published audio scores as the reference figures say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay.audio import write
from notedecay.core.errors import UserError
from notedecay.metrics import mean_scores
from notedecay.studies.paper.published import Published, read_published, table_rows
from tests.synthetic import damped

EXPERIMENT = "4-guitar_train_45files_5sec_60res_1400maxf_m1_512hid_1lyrs_180ep_linearact_20prime"
RATE = 2940


@pytest.fixture(scope="session")
def published(real_data: Path) -> list[Published]:
    return read_published(real_data / "paper_results")


def test_all_17_are_there_and_two_are_unseen(published: list[Published]) -> None:
    assert len(published) == 17
    assert [one.number for one in published if not one.seen] == [9, 9]
    assert [one.number for one in published] == sorted(one.number for one in published)
    assert {one.instrument for one in published} == {"cello", "guitar", "piano"}


def test_the_prime_is_that_of_the_lengths_not_of_the_name(
    published: list[Published],
) -> None:
    primes = {one.number: one.prime_seconds for one in published}
    assert primes[4] == pytest.approx(1 / 3, abs=0.002)
    assert primes[1] == pytest.approx(0.15, abs=0.002)
    assert primes[3] == pytest.approx(0.1, abs=0.002)  # "20prime" of 30 blocks/s would be 0.67


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_the_continuation_alone_ends_the_generated_one(published: list[Published]) -> None:
    for one in published:
        prime = round(one.prime_seconds * one.rate)
        ends = one.generated[prime : prime + len(one.alone)]
        # Filtered apart, so unlike near the join; the piano's pp is a few steps of 16 bits loud.
        assert alike(ends[one.rate :], one.alone[one.rate :]) > 0.95
        assert alike(ends[one.rate :], one.alone[one.rate - 1 : -1]) < 0.995


def test_published_continuations_score_as_known(published: list[Published]) -> None:
    """Reference row: decay_ok 0.07 (median 0), missing 0.33, cents 2, noise 5 to 29."""
    scores = [one.scores for one in published]
    means = mean_scores(scores)
    assert means["notes"] == means["notes_judged"] == 17
    assert means["decay_ok"] == pytest.approx(0.07, abs=0.03)
    assert np.median([s.decay_ok for s in scores]) == pytest.approx(0.0, abs=0.02)
    assert means["missing"] == pytest.approx(0.33, abs=0.06)
    assert np.median([s.pitch_cents for s in scores]) == pytest.approx(2.0, abs=1.0)
    excess = [s.excess_noise_db for s in scores]
    assert np.percentile(excess, (10, 90)) == pytest.approx([5.0, 29.0], abs=4.0)
    assert means["score"] < 0.05


def test_published_envelopes_score_as_known_with_the_rumble_left_in(real_data: Path) -> None:
    """Reference row: envelope 12.3, lsd 12.7; without the rumble the tails differ by 25 dB."""
    published = read_published(real_data / "paper_results", without_rumble=False)
    means = mean_scores([one.scores for one in published])
    assert means["envelope_db"] == pytest.approx(12.3, abs=0.7)
    assert means["lsd_db"] == pytest.approx(12.7, abs=1.5)
    assert means["decay_ok"] == pytest.approx(0.07, abs=0.02)
    assert means["missing"] == pytest.approx(0.33, abs=0.05)


def triple(folder: Path, *, experiment: str = EXPERIMENT) -> Path:
    """A note that was continued to perfection, as the authors would have stored it."""
    note = damped([262.0, 523.0], [3.0, 2.0], rate=RATE)
    for name, samples in (("C4", note), ("C4_gen", note), ("C4_gen_wp", note[980:])):
        write(folder / experiment / f"{name}.wav", samples, RATE)
    return folder / experiment


def test_a_perfect_continuation(tmp_path: Path) -> None:
    triple(tmp_path)
    (one,) = read_published(tmp_path)
    assert (one.number, one.instrument, one.note, one.seen) == (4, "guitar", "C4", True)
    assert (one.rate, one.experiment) == (RATE, EXPERIMENT)
    assert one.prime_seconds == pytest.approx(980 / RATE)
    assert one.scores.score == pytest.approx(1.0)
    (row,) = table_rows([one])
    assert row["prime_ms"] == 333
    assert row["decay_ok"] == 1.0


def test_an_incomplete_triple_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read_published(tmp_path / "none")
    with pytest.raises(UserError, match="no published continuation"):
        read_published(tmp_path)
    folder = triple(tmp_path)
    (folder / "C4_gen_wp.wav").unlink()
    with pytest.raises(UserError, match=r"C4_gen_wp.wav is missing"):
        read_published(tmp_path)
    write(folder / "C4_gen_wp.wav", damped([262.0], [3.0], seconds=4.0, rate=RATE), RATE)
    with pytest.raises(UserError, match="leave no prime"):
        read_published(tmp_path)


@pytest.mark.parametrize("experiment", ["guitar", "4-tuba_train"])
def test_an_experiment_without_its_number_is_refused(tmp_path: Path, experiment: str) -> None:
    triple(tmp_path, experiment=experiment)
    with pytest.raises(UserError, match="no experiment of the paper"):
        read_published(tmp_path)
