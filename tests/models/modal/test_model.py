"""Continuations of the modal model: prediction, synthesis, sampling and odd primes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from notedecay.audio.samples import Samples
from notedecay.metrics.decay import decay_time, decay_times, partial_envelopes
from notedecay.models import Signal, load
from notedecay.models.modal.aftersound import MAX_DEPTH_DB, Aftersound
from notedecay.models.modal.ensemble import PERSISTS
from notedecay.models.modal.model import Modal, analyse_prime, synthesise_partials
from notedecay.models.modal.novelty import decays_from_slopes
from notedecay.models.modal.partials import Partials
from tests.models.modal.bells import PRIME, RATE, SIGNAL, bell, make
from tests.synthetic import damped


def test_a_novel_note_decays_by_the_slopes_of_its_prime(trained: Modal) -> None:
    assert len(trained.net.reference_features) == 11
    analysis = analyse_prime(bell(59).samples[:PRIME].tobytes(), SIGNAL)
    features = torch.from_numpy(analysis.features).float()
    known, novel = (trained.net(features + away * trained.net.std) for away in (0, 8))
    own = decays_from_slopes(features + 8 * trained.net.std).point_estimate()
    assert torch.allclose(novel.decays.point_estimate(), own)
    assert not torch.allclose(
        known.decays.point_estimate(), decays_from_slopes(features).point_estimate()
    )
    assert novel.aftersound.depth_db.tolist() == [MAX_DEPTH_DB] * len(features)
    assert (known.aftersound.depth_db < MAX_DEPTH_DB).all()


def test_weights_and_statistics_are_saved(trained: Modal, tmp_path: Path) -> None:
    assert trained.net.noise_floor.level_db.max() < -60
    assert trained.net.noise_floor.bounds_db[0] < trained.net.noise_floor.bounds_db[1]
    trained.save(tmp_path)
    prime = bell(59).samples[:PRIME]
    made, again = (model.continue_prime(prime, RATE) for model in (trained, load(tmp_path)))
    assert np.array_equal(made, again)


def test_the_join_is_smooth(trained: Modal) -> None:
    clip = bell(59)
    made = trained.continue_prime(clip.samples[:PRIME], 200)
    wanted = clip.samples[PRIME : PRIME + 200]
    assert np.square(made - wanted).sum() < 10**-1.5 * np.square(wanted).sum()


def test_the_crossfade_holds_more_lines_than_partials_and_ignores_the_attack() -> None:
    lines = [60.0 + 26 * k for k in range(70)]
    note = damped(lines, [1.0] * len(lines), rate=RATE).astype(np.float64)
    scale = np.abs(note[:PRIME]).max()
    note[: PRIME // 3] += 0.3 * scale * np.random.default_rng(1).standard_normal(PRIME // 3)
    note /= np.abs(note[:PRIME]).max()
    prime = note[:PRIME].astype(np.float32)
    crossfade = analyse_prime(prime.tobytes(), SIGNAL).crossfade
    wanted = note[PRIME : PRIME + len(crossfade)]
    assert np.square(crossfade - wanted).sum() < 1e-3 * np.square(wanted).sum()


def test_sampled_continuations_are_as_uncertain_as_the_notes(trained: Modal) -> None:
    clip = bell(59)
    prime = clip.samples[:PRIME]
    sampled = trained.sample_continuations(prime, 4000, count=3, seed=5)
    again = trained.sample_continuations(prime, 4000, count=3, seed=5)
    best = trained.continue_prime(prime, 4000)
    assert all(np.array_equal(a, b) for a, b in zip(sampled, again, strict=True))
    assert not np.array_equal(sampled[0], sampled[1])
    energy = np.array([np.square(made).sum() for made in (*sampled, best)])
    assert np.all(energy > 0.5 * energy[-1])
    assert np.all(energy < 2.0 * energy[-1])


def test_decay_times_of_one_sample_correlate_by_a_tenth() -> None:
    """Measured in sampled continuations, over pairs of their partials."""
    model = make(aftersound=False, drop_transients=False)
    frequencies = np.array([150.0 * k for k in range(1, 13)])
    t = np.arange(PRIME) / RATE
    prime = 0.05 * np.sin(2 * np.pi * np.outer(frequencies, t) + frequencies[:, None]).sum(axis=0)
    sampled = model.sample_continuations(prime.astype(np.float32), RATE // 2, count=200, seed=1)
    after_crossfade = round(0.1 * RATE)
    envelopes = [
        partial_envelopes(x[after_crossfade:].astype(float), RATE, frequencies) for x in sampled
    ]
    log_t60 = np.log([decay_times(one, np.full(12, -200.0)) for one in envelopes])
    assert log_t60.std(axis=0).min() > 0.5
    together = np.corrcoef(log_t60.T)[np.triu_indices(12, 1)].mean()
    assert together == pytest.approx(0.1, abs=0.06)


def steady_model(probability: float) -> Modal:
    """It predicts for every partial that it holds, and persists with a probability."""
    model = make(aftersound=False)
    for weight in model.net.weights:
        weight.data.zero_()
    model.net.biases[-1].data[..., PERSISTS] = float(np.log(probability / (1 - probability)))
    model.net.log_t60.fill_(np.log(60.0))
    return model


TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(PRIME) / RATE).astype(np.float32)


@pytest.mark.parametrize(("probability", "level_db"), [(0.9, 0.0), (0.5, 0.0), (0.25, -6.02)])
def test_partials_that_probably_do_not_persist_are_attenuated(
    probability: float, level_db: float
) -> None:
    """A partial keeps its level from a probability of one half on."""
    made = steady_model(probability).continue_prime(TONE, RATE // 2)[round(0.1 * RATE) :]
    assert 20 * np.log10(np.abs(made).max() / 0.3) == pytest.approx(level_db, abs=0.5)


@pytest.mark.parametrize(("seconds", "share"), [(0.0, 1.0), (0.05, 0.5), (0.097, 0.0), (0.1, 0.0)])
def test_the_join_fades_from_the_prime_to_the_partials_within_100_ms(
    seconds: float, share: float
) -> None:
    """The tone goes on at its level by ESPRIT, and by its partial at a quarter of that."""
    made = steady_model(0.125).continue_prime(TONE, RATE // 2)
    start = round(seconds * RATE)
    level = np.abs(made[start : start + 12]).max() / 0.3
    assert level == pytest.approx(0.25 + 0.75 * share, abs=0.05)


@pytest.mark.parametrize("samples", [1, 50, 399, 400, 500])
def test_a_shorter_continuation_is_the_beginning_of_a_longer_one(samples: int) -> None:
    model, prime = make(noise_floor=False), bell(59).samples[:PRIME]
    assert np.allclose(
        model.continue_prime(prime, samples), model.continue_prime(prime, RATE)[:samples], atol=1e-6
    )


@pytest.mark.parametrize("depth_db", [15.0, 30.0])
def test_partial_and_aftersound_add_up_to_the_level_of_the_partial(depth_db: float) -> None:
    """They are in opposite phase: where both have one level the partial dips."""
    partials = Partials(np.array([440.0]), np.array([0.5 + 0j]), np.ones(1))
    aftersound = Aftersound(torch.tensor([depth_db]), torch.tensor([20.0]).log())
    t60, gain = torch.tensor([1.0]), torch.ones(1)
    made = synthesise_partials(partials, t60, gain, aftersound, RATE, 2 * RATE)
    assert made[0] == pytest.approx(0.5, rel=1e-6)
    level_db = partial_envelopes(made, RATE, partials.frequency_hz)[0]
    assert decay_time(level_db, -200.0) == pytest.approx(1.0, rel=0.05)
    assert level_db.min() < level_db[-1] - 6.0
    alone = synthesise_partials(partials, t60, gain, None, RATE, 2 * RATE)
    assert np.abs(alone[-400:]).max() == pytest.approx(0.5 * 10**-5.7, rel=0.01)


@settings(max_examples=15, deadline=None)
@given(
    arrays(np.float32, st.integers(1, 700), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([1e-20, 1e-6, 1.0]),
)
def test_any_prime_gives_finite_samples_that_do_not_grow(prime: Samples, level: float) -> None:
    signal = Signal(instrument="any", rate=2000)
    prime = (prime * level).astype(np.float32)
    made = make(signal).continue_prime(prime, 4000)
    assert made.shape == (4000,)
    assert np.isfinite(made).all()
    late, early = np.abs(made[3000:]).max(), np.abs(made[:1000]).max()
    assert late <= early
