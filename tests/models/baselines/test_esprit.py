"""ESPRIT against sums of damped sinusoids whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay.models import Signal, create
from notedecay.models.baselines import esprit
from notedecay.models.baselines.esprit import SYNTHESIS, fit_damped, synthesise
from tests.synthetic import damped

RATE = 8000
SIGNAL = Signal(instrument="test", rate=RATE)
FREQUENCIES, T60S = [220.0, 441.0, 663.0, 1330.0], [3.0, 1.5, 1.0, 0.4]


def snr_db(wanted: np.ndarray, made: np.ndarray) -> float:
    error = np.square(wanted - made, dtype=np.float64).sum()
    return float(10 * np.log10(np.square(wanted, dtype=np.float64).sum() / error))


@pytest.mark.parametrize(
    ("noise_db", "order", "hertz", "share"), [(None, 4, 1e-4, 1e-4), (-70, 12, 0.1, 0.05)]
)
def test_frequencies_and_decays_are_found(
    noise_db: float | None, order: int, hertz: float, share: float
) -> None:
    prime = damped(FREQUENCIES, T60S, noise_db=noise_db)[: SIGNAL.prime_samples]
    poles, amplitudes = fit_damped(prime, order)
    found = poles[(poles.imag > 0) & (np.abs(amplitudes) > 0.01)]
    found = found[np.argsort(np.angle(found))]
    assert np.allclose(np.angle(found) * RATE / (2 * np.pi), FREQUENCIES, atol=hertz)
    assert np.allclose(-3 / np.log10(np.abs(found)) / RATE, T60S, rtol=share)


def test_a_clean_note_is_continued_as_it_was() -> None:
    note = damped(FREQUENCIES, T60S)
    prime, rest = np.split(note, [SIGNAL.prime_samples])
    assert snr_db(rest, create("esprit", SIGNAL, {}).continue_prime(prime, len(rest))) > 60


def test_a_long_signal_is_fitted_whole() -> None:
    note = damped(FREQUENCIES, T60S, seconds=5.0)
    poles, amplitudes = fit_damped(note, 10)
    assert snr_db(note, synthesise(poles, amplitudes, len(note))) > 60


def test_amplitudes_are_the_least_squares_solution_over_all_poles() -> None:
    """A pair of poles, a real one, and a growing tone's, against the plain complex solution."""
    rng = np.random.default_rng(0)
    t = np.arange(600)
    note = damped([400.0, 900.0], [0.5, 0.3], noise_db=-40)[:600]
    note += (0.5 * 0.99**t + 0.01 * rng.standard_normal(600)).astype(np.float32)
    poles, amplitudes = fit_damped(note, 4)
    assert (poles.imag == 0).any()
    shapes = poles ** t[:, np.newaxis]
    expected = np.linalg.lstsq(shapes, note.astype(complex), rcond=None)[0]
    assert np.allclose(amplitudes, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tilt", [0.0, 1e-9, 1e-4, 0.5, 1.0])
def test_the_rotation_is_the_least_squares_solution(tilt: float) -> None:
    """At a tilt of 0 the space holds the last sample alone, and the solution is not unique."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((40, 6))
    directions[-1] = 0
    directions[:, 0] *= tilt
    directions[-1, 0] = 1
    space = np.linalg.qr(directions)[0]
    expected = np.linalg.lstsq(space[:-1], space[1:], rcond=None)[0]
    error = space[:-1] @ esprit._rotation(space) - space[1:]
    least = np.linalg.norm(space[:-1] @ expected - space[1:])
    assert np.linalg.norm(error) == pytest.approx(least, rel=1e-9)
    if tilt >= 0.5:
        assert np.allclose(esprit._rotation(space), expected, atol=1e-12)


def test_growing_tones_are_made_to_decay() -> None:
    prime = damped([300.0], [1.0])[: SIGNAL.prime_samples][::-1].copy()
    poles, _ = fit_damped(prime, 1)
    assert np.allclose(-3 / np.log10(np.abs(poles)) / RATE, 1.0, rtol=1e-3)


def test_synthesis_in_parts_is_the_sum() -> None:
    poles = np.array([0.999 * np.exp(0.3j), 0.9995 * np.exp(-0.1j)])
    amplitudes = np.array([1.0 - 0.5j, 0.2j])
    t = np.arange(2 * SYNTHESIS + 10)
    expected = (amplitudes * poles ** t[:, None]).sum(axis=1).real
    assert np.allclose(synthesise(poles, amplitudes, len(t)), expected, atol=1e-12)


def test_the_attack_is_left_out() -> None:
    note = damped(FREQUENCIES, T60S)
    note[:400] += np.random.default_rng(0).normal(0, 0.3, 400).astype(np.float32)
    prime, rest = np.split(note, [SIGNAL.prime_samples])
    made = create("esprit", SIGNAL, {"attack_seconds": 0.05}).continue_prime(prime, len(rest))
    with_attack = create("esprit", SIGNAL, {"attack_seconds": 0.0}).continue_prime(prime, len(rest))
    assert snr_db(rest, made) > 60 > snr_db(rest, with_attack)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["noise", "steps", "click", "tiny", "few"]),
    st.integers(1, 60),
)
def test_any_prime_gives_finite_samples_that_do_not_run_away(
    seed: int, kind: str, order: int
) -> None:
    generator = np.random.default_rng(seed)
    n = SIGNAL.prime_samples // 4
    prime = {
        "noise": generator.uniform(-1, 1, n),
        "steps": np.sign(generator.standard_normal(n)),
        "click": np.eye(1, n, int(generator.integers(n)))[0],
        "tiny": 1e-30 * generator.standard_normal(n),
        "few": generator.uniform(-1, 1, 8),
    }[kind].astype(np.float32)
    made = create("esprit", SIGNAL, {"order": order}).continue_prime(prime, 5000)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 10 * np.abs(prime).max()


def test_at_most_half_of_the_prime_is_left_out_as_attack() -> None:
    note = damped(FREQUENCIES, T60S)
    prime, rest = np.split(note, [SIGNAL.prime_samples])
    made = create("esprit", SIGNAL, {"attack_seconds": 2.5}).continue_prime(prime, len(rest))
    assert snr_db(rest, made) > 60


def test_real_notes_decay(real_data: Path) -> None:
    for path in sorted((real_data / "iowa" / "cello").glob("*sulC.*"))[:4]:
        note = soundfile.read(path, always_2d=True, dtype="float32")[0][::4, 0]
        start = int(np.argmax(np.abs(note)))
        prime = note[start : start + SIGNAL.prime_samples]
        made = create("esprit", SIGNAL, {}).continue_prime(prime, 24_000)
        assert np.square(made[-8000:]).mean() < 0.1 * np.square(prime).mean()
