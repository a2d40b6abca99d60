"""The modal continuator learns how partials die away, and applies it to notes never heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.metrics import Reference
from notedecay.metrics.decay import decay_time, decay_times, partial_envelopes
from notedecay.models import Signal, create, load
from notedecay.models.modal.aftersound import BOTTOMLESS_DB, Aftersound
from notedecay.models.modal.ensemble import LASTS
from notedecay.models.modal.model import Modal, hear, ring
from notedecay.models.modal.novelty import own_decays
from notedecay.models.modal.partials import Partials
from notedecay.models.modal.targets import Lesson, as_played
from notedecay.training.fit import fit
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
PRIME = SIGNAL.prime_samples
SMALL = {"units": 16, "members": 4, "transpose": 0, "batch": 4, "epochs": 60}


def make(signal: Signal = SIGNAL, **config: Any) -> Modal:
    model = create("modal", signal, SMALL | config)
    assert isinstance(model, Modal)
    return model


def bell(pitch: int, octave_t60: float = 0.5) -> Clip:
    """Two partials whose T60 halves with each octave; the prime alone hardly shows it."""
    f0 = 220 * 2 ** ((pitch - 57) / 12)
    frequencies = [f0, 2.7 * f0]
    t60s = [2.0 * octave_t60 ** np.log2(f / 220) for f in frequencies]
    samples = damped(frequencies, t60s, [1, 0.4], rate=RATE, noise_db=-85, seed=pitch)
    return Clip(f"bells/x/{pitch}", pitch, samples, RATE)


@pytest.fixture(scope="module")
def trained() -> Modal:
    model = make()
    fit(model, [bell(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
    return model


def ratios(model: Modal, clip: Clip) -> np.ndarray:
    original = clip.samples[PRIME:]
    peak = float(abs(clip.samples).max())
    made = model.continue_prime(clip.samples[:PRIME], len(original)).astype(np.float64)
    return Reference(original, RATE, peak).t60_ratios(made / peak)


@pytest.mark.parametrize("pitch", [53, 59, 65])
def test_decay_of_notes_never_heard(trained: Modal, pitch: int) -> None:
    found = ratios(trained, bell(pitch))
    assert len(found) == 2
    assert np.all((found > 0.8) & (found < 1.25))


def test_notes_end_in_the_noise_of_those_learned_from() -> None:
    clip = bell(59)
    level_db = {}
    for hiss in (True, False):
        model = make(hiss=hiss, aftersound=False)
        fit(model, [bell(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
        end = model.continue_prime(clip.samples[:PRIME], 8 * RATE)[-RATE:]
        level_db[hiss] = 20 * np.log10(end.std() + 1e-12)
    assert level_db[True] == pytest.approx(-85, abs=1)
    assert level_db[False] < -130


def test_partials_fall_to_the_aftersound_of_those_learned_from() -> None:
    def bent(pitch: int) -> Clip:
        f0 = 220 * 2 ** ((pitch - 57) / 12)
        note = damped([f0, f0], [1.0, 8.0], [1, 0.001], rate=RATE, seconds=4.0, seed=pitch)
        return Clip(f"bells/x/{pitch}", pitch, note, RATE)

    ends = {}
    for aftersound in (True, False):
        model = make(aftersound=aftersound, epochs=30)
        fit(model, [bent(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
        made = model.continue_prime(bent(59).samples[:PRIME], 3 * RATE)
        ends[aftersound] = 20 * np.log10(made[-RATE // 2 :].std())
    true = 20 * np.log10(bent(59).samples[PRIME:][3 * RATE - RATE // 2 : 3 * RATE].std())
    assert ends[True] == pytest.approx(true, abs=6)
    assert ends[False] < true - 30


def test_a_note_whose_prime_is_silent_teaches_nothing() -> None:
    late = np.concatenate([np.zeros(PRIME, np.float32), bell(60).samples])
    clips = [bell(50), bell(55), Clip("bells/x/late", 60, late, RATE)]
    model = make(epochs=1)
    fit(model, clips, seed=1, device="cpu")
    assert len(model.examples(clips).present) == 2
    assert model.examples(clips[2:]).features.shape[:3] == (0, 1, 0)


def test_strokes_make_another_model() -> None:
    clips = [bell(pitch) for pitch in (50, 55, 60)]
    states = []
    for strokes in (0, 4):
        model = make(epochs=2, strokes=strokes)
        fit(model, clips, seed=1, device="cpu")
        states.append(model.state())
    assert len(states[0]["notes"]) == len(states[1]["notes"]) == 3
    assert not torch.equal(states[0]["weights.0"], states[1]["weights.0"])


def beating(pitch: int) -> Clip:
    """A note of two strings that beat: its augmented copies decay otherwise."""
    f0 = 220 * 2 ** ((pitch - 57) / 12)
    frequencies, levels = [f0, f0 + 0.8, 2.1 * f0], [1, 0.5, 0.3]
    note = damped(frequencies, [2.5, 4.0, 2.0], levels, rate=RATE, noise_db=-80, seed=pitch)
    return Clip(f"bells/x/{pitch}", pitch, note, RATE)


def test_reference_notes_are_the_training_notes_as_recorded() -> None:
    """Augmented and transposed copies are left out: else hardly any note would count as novel."""
    clips = [beating(pitch) for pitch in (50, 55, 60, 65)]
    model = make(epochs=1, strokes=4, transpose=1)
    fit(model, clips, seed=1, device="cpu")
    known = model.net.notes.clone()
    played = as_played(model.examples(clips))
    model.net.remember(played.features, played.present)
    assert torch.allclose(known, model.net.notes, atol=1e-5)


def test_two_thirds_of_the_training_examples_are_augmented() -> None:
    """The loss of a note depends on its augmented copies for two of three seeds."""
    model = make(strokes=2, input_noise=0.0, dropout=0.0)
    examples = Lesson(*model.prepare([beating(55)], torch.Generator().manual_seed(0)))
    other = examples.log_t60.clone()
    other[:, 1:] += 1.0
    changed = examples._replace(log_t60=other)
    differs = []
    for seed in range(200):
        losses = [model.loss(e, torch.Generator().manual_seed(seed)) for e in (examples, changed)]
        differs.append(not torch.equal(*losses))
    assert np.mean(differs) == pytest.approx(2 / 3, abs=0.1)


@pytest.fixture(scope="module")
def padded_targets(trained: Modal) -> Lesson:
    """Targets of notes of two and of one partial: the second is padded."""
    pure = damped([300.0], [1.5], rate=RATE, seconds=3.0)
    both = trained.examples([bell(53), Clip("bells/x/pure", 62, pure, RATE)])
    assert not bool(both.present.all())
    return both


def loss(model: Modal, lesson: Lesson) -> float:
    return model.loss(lesson, torch.Generator().manual_seed(0)).item()


def test_padding_does_not_contribute_to_the_loss(trained: Modal, padded_targets: Lesson) -> None:
    padding = padded_targets.present == 0
    expected = loss(trained, padded_targets)
    for name in ("log_t60", "lasts", "holds"):
        value = getattr(padded_targets, name)
        changed = padded_targets._replace(**{name: torch.where(padding, 1 - value, value)})
        assert loss(trained, changed) == pytest.approx(expected, rel=1e-6)


def test_weights_are_relative_shares_of_the_loss(trained: Modal, padded_targets: Lesson) -> None:
    """Doubling all weights changes nothing, and a decay of weight 0 does not count."""
    expected = loss(trained, padded_targets)
    twice = padded_targets._replace(weight=2 * padded_targets.weight)
    assert loss(trained, twice) == pytest.approx(expected, rel=1e-6)
    weight = padded_targets.weight.clone()
    weight[0, 0, 0] = 0.0
    without = padded_targets._replace(weight=weight)
    log_t60 = padded_targets.log_t60.clone()
    log_t60[0, 0, 0] += 1.0
    assert loss(trained, without._replace(log_t60=log_t60)) == loss(trained, without)
    assert loss(trained, padded_targets._replace(log_t60=log_t60)) != expected


def test_input_noise_scales_with_the_spread_of_each_feature(padded_targets: Lesson) -> None:
    """The unit of a feature does not matter."""
    model, quiet = make(input_noise=0.5), make(input_noise=0.0)
    for each in (model, quiet):
        each.prepare([bell(53), bell(58), bell(62)], torch.Generator().manual_seed(0))
        each.net.weights[-1].data.mul_(20.0)  # initial outputs hardly depend on the features
    expected = loss(model, padded_targets)
    assert loss(model, padded_targets) == expected
    thousandths = torch.ones(len(model.net.mean))
    thousandths[5:10] = 1000.0
    model.net.mean.mul_(thousandths)
    model.net.std.mul_(thousandths)
    scaled = padded_targets._replace(features=padded_targets.features * thousandths)
    assert loss(model, scaled) == pytest.approx(expected, rel=1e-4)
    assert expected != pytest.approx(loss(quiet, padded_targets), rel=1e-2)


def test_a_stranger_goes_by_its_own_slope(trained: Modal) -> None:
    assert len(trained.net.notes) == 11
    heard = hear(bell(59).samples[:PRIME].tobytes(), SIGNAL)
    features = torch.from_numpy(heard.features).float()
    known, strange = (trained.net(features + away * trained.net.std) for away in (0, 8))
    own = own_decays(features + 8 * trained.net.std).likeliest()
    assert torch.allclose(strange.decays.likeliest(), own)
    assert not torch.allclose(known.decays.likeliest(), own_decays(features).likeliest())
    assert strange.after.depth_db.tolist() == [BOTTOMLESS_DB] * len(features)
    assert (known.after.depth_db < BOTTOMLESS_DB).all()


def test_all_that_was_learned_is_saved(trained: Modal, tmp_path: Path) -> None:
    assert trained.net.floor.level_db.max() < -60
    assert trained.net.floor.bounds_db[0] < trained.net.floor.bounds_db[1]
    trained.save(tmp_path)
    prime = bell(59).samples[:PRIME]
    made, again = (model.continue_prime(prime, RATE) for model in (trained, load(tmp_path)))
    assert np.array_equal(made, again)


def test_the_joint_is_smooth(trained: Modal) -> None:
    clip = bell(59)
    made = trained.continue_prime(clip.samples[:PRIME], 200)
    wanted = clip.samples[PRIME : PRIME + 200]
    assert np.square(made - wanted).sum() < 10**-1.5 * np.square(wanted).sum()


def test_the_joint_holds_more_lines_than_partials_and_forgets_the_attack() -> None:
    lines = [60.0 + 26 * k for k in range(70)]
    note = damped(lines, [1.0] * len(lines), rate=RATE).astype(np.float64)
    scale = np.abs(note[:PRIME]).max()
    note[: PRIME // 3] += 0.3 * scale * np.random.default_rng(1).standard_normal(PRIME // 3)
    note /= np.abs(note[:PRIME]).max()
    prime = note[:PRIME].astype(np.float32)
    joint = hear(prime.tobytes(), SIGNAL).joint
    wanted = note[PRIME : PRIME + len(joint)]
    assert np.square(joint - wanted).sum() < 1e-3 * np.square(wanted).sum()


def test_the_same_seed_gives_the_same_model_and_another_does_not(tmp_path: Path) -> None:
    clips = [bell(pitch) for pitch in (50, 55, 60)]
    states = []
    for seed in (1, 1, 2):
        model = make(epochs=2)
        fit(model, clips, seed=seed, device="cpu")
        states.append(model.state())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not torch.equal(states[0]["weights.0"], states[2]["weights.0"])
    model.save(tmp_path)
    prime = clips[0].samples[:PRIME]
    assert np.array_equal(
        load(tmp_path).continue_prime(prime, 500), model.continue_prime(prime, 500)
    )


def test_a_tone_that_does_not_decay_is_not_made_to() -> None:
    def pipe(pitch: int) -> Clip:
        f0 = 220 * 2 ** ((pitch - 57) / 12)
        held = damped([f0, 2 * f0], [1e6, 1e6], [1, 0.3], rate=RATE, noise_db=-70, seed=pitch)
        return Clip(f"pipe/x/{pitch}", pitch, held, RATE)

    model = make()
    fit(model, [pipe(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
    made = model.continue_prime(pipe(59).samples[:PRIME], 2 * RATE)
    early, late = (np.square(part).mean() for part in (made[: RATE // 5], made[-RATE // 5 :]))
    assert 10 * np.log10(early / late) < 6


def thud(pitch: int, hz: float, seed: int) -> Clip:
    """A bell with a knock that is over before the prime ends, but not before it is heard."""
    note = bell(pitch).samples.copy()
    knock = damped([hz], [0.25], [0.5], rate=RATE, noise_db=-85, seed=seed)
    note[:PRIME] += knock[:PRIME]
    return Clip(f"bells/x/{pitch}", pitch, note, RATE)


def test_what_sounds_in_the_attack_alone_is_not_continued() -> None:
    knocks_hz = np.random.default_rng(1).uniform(900, 1500, 22)
    clips = [thud(p, hz, p) for p, hz in zip(range(48, 70), knocks_hz, strict=True)]
    unseen = thud(59, 1111.0, 3)
    level = {}
    for weed in (True, False):
        model = make(weed=weed)
        fit(model, [c for c in clips if c.pitch != 59], seed=3, device="cpu")
        model.net.notes = model.net.notes[:0]  # or a stranger's own slope ends the knock as well
        made = model.continue_prime(unseen.samples[:PRIME], RATE)[RATE // 5 :]
        turns = np.exp(-2j * np.pi * 1111.0 * np.arange(len(made)) / RATE)
        level[weed] = np.abs(made @ turns)
    assert level[True] < 0.5 * level[False]


def test_drawn_continuations_are_as_uncertain_as_the_notes(trained: Modal) -> None:
    clip = bell(59)
    prime = clip.samples[:PRIME]
    drawn = trained.draw_continuations(prime, 4000, count=3, seed=5)
    again = trained.draw_continuations(prime, 4000, count=3, seed=5)
    likeliest = trained.continue_prime(prime, 4000)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))
    assert not np.array_equal(drawn[0], drawn[1])
    energy = np.array([np.square(made).sum() for made in (*drawn, likeliest)])
    assert np.all(energy > 0.5 * energy[-1])
    assert np.all(energy < 2.0 * energy[-1])


def test_decay_times_of_one_sample_correlate_by_a_tenth() -> None:
    """Measured in sampled continuations, over pairs of their partials."""
    model = make(aftersound=False, weed=False)
    frequencies = np.array([150.0 * k for k in range(1, 13)])
    t = np.arange(PRIME) / RATE
    prime = 0.05 * np.sin(2 * np.pi * np.outer(frequencies, t) + frequencies[:, None]).sum(axis=0)
    drawn = model.draw_continuations(prime.astype(np.float32), RATE // 2, count=200, seed=1)
    after_joint = round(0.1 * RATE)
    envelopes = [partial_envelopes(x[after_joint:].astype(float), RATE, frequencies) for x in drawn]
    log_t60 = np.log([decay_times(one, np.full(12, -200.0)) for one in envelopes])
    assert log_t60.std(axis=0).min() > 0.5
    together = np.corrcoef(log_t60.T)[np.triu_indices(12, 1)].mean()
    assert together == pytest.approx(0.1, abs=0.06)


def steady_model(probability: float) -> Modal:
    """It predicts for every partial that it holds, and persists with a probability."""
    model = make(aftersound=False)
    for weight in model.net.weights:
        weight.data.zero_()
    model.net.biases[-1].data[..., LASTS] = float(np.log(probability / (1 - probability)))
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
    model, prime = make(hiss=False), bell(59).samples[:PRIME]
    assert np.allclose(
        model.continue_prime(prime, samples), model.continue_prime(prime, RATE)[:samples], atol=1e-6
    )


@pytest.mark.parametrize("depth_db", [15.0, 30.0])
def test_partial_and_aftersound_add_up_to_the_level_of_the_partial(depth_db: float) -> None:
    """They are in opposite phase: where both have one level the partial dips."""
    partials = Partials(np.array([440.0]), np.array([0.5 + 0j]), np.ones(1))
    after = Aftersound(torch.tensor([depth_db]), torch.tensor([20.0]).log())
    t60, gain = torch.tensor([1.0]), torch.ones(1)
    made = ring(partials, t60, gain, after, RATE, 2 * RATE)
    assert made[0] == pytest.approx(0.5, rel=1e-6)
    level_db = partial_envelopes(made, RATE, partials.frequency_hz)[0]
    assert decay_time(level_db, -200.0) == pytest.approx(1.0, rel=0.05)
    assert level_db.min() < level_db[-1] - 6.0
    alone = ring(partials, t60, gain, None, RATE, 2 * RATE)
    assert np.abs(alone[-400:]).max() == pytest.approx(0.5 * 10**-5.7, rel=0.01)


def test_notes_that_do_not_suit_are_named() -> None:
    short = Clip("bells/x/1", 60, np.ones(PRIME + 10, np.float32), RATE)
    with pytest.raises(UserError, match="bells/x/1 has 1330 samples"):
        make().prepare([short], torch.Generator())
    silent = Clip("bells/x/2", 60, np.zeros(RATE, np.float32), RATE)
    with pytest.raises(UserError, match="nothing to learn"):
        make().prepare([silent], torch.Generator())


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
