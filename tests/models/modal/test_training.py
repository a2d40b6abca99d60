"""Training of the modal model: what it learns from notes, and its loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.metrics import Reference
from notedecay.models import load
from notedecay.models.modal.model import Modal
from notedecay.models.modal.targets import Targets, originals
from notedecay.models.note_cache import NoteCache
from notedecay.training.fit import fit
from tests.models.modal.bells import PRIME, RATE, bell, make
from tests.synthetic import damped


def ratios(model: Modal, clip: Clip) -> np.ndarray:
    original = clip.samples[PRIME:]
    peak = float(abs(clip.samples).max())
    made = model.continue_prime(clip.samples[:PRIME], len(original)).astype(np.float64)
    return Reference(original, RATE, peak).t60_ratios(made / peak)


@pytest.mark.parametrize("pitch", [53, 59, 65])
def test_decay_of_unseen_notes(trained: Modal, pitch: int) -> None:
    found = ratios(trained, bell(pitch))
    assert len(found) == 2
    assert np.all((found > 0.8) & (found < 1.25))


def test_notes_decay_to_the_noise_of_the_training_notes() -> None:
    clip = bell(59)
    level_db = {}
    for noise_floor in (True, False):
        model = make(noise_floor=noise_floor, aftersound=False)
        fit(model, [bell(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
        end = model.continue_prime(clip.samples[:PRIME], 8 * RATE)[-RATE:]
        level_db[noise_floor] = 20 * np.log10(end.std() + 1e-12)
    assert level_db[True] == pytest.approx(-85, abs=1)
    assert level_db[False] < -130


def test_partials_decay_to_the_aftersound_of_the_training_notes() -> None:
    def two_stage(pitch: int) -> Clip:
        f0 = 220 * 2 ** ((pitch - 57) / 12)
        note = damped([f0, f0], [1.0, 8.0], [1, 0.001], rate=RATE, seconds=4.0, seed=pitch)
        return Clip(f"bells/x/{pitch}", pitch, note, RATE)

    ends = {}
    for aftersound in (True, False):
        model = make(aftersound=aftersound, epochs=30)
        fit(model, [two_stage(pitch) for pitch in range(48, 70, 2)], seed=3, device="cpu")
        made = model.continue_prime(two_stage(59).samples[:PRIME], 3 * RATE)
        ends[aftersound] = 20 * np.log10(made[-RATE // 2 :].std())
    true = 20 * np.log10(two_stage(59).samples[PRIME:][3 * RATE - RATE // 2 : 3 * RATE].std())
    assert ends[True] == pytest.approx(true, abs=6)
    assert ends[False] < true - 30


def test_a_note_whose_prime_is_silent_is_left_out() -> None:
    late = np.concatenate([np.zeros(PRIME, np.float32), bell(60).samples])
    clips = [bell(50), bell(55), Clip("bells/x/late", 60, late, RATE)]
    model = make(epochs=1)
    fit(model, clips, seed=1, device="cpu")
    assert len(model.examples(clips).present) == 2
    assert model.examples(clips[2:]).features.shape[:3] == (0, 1, 0)


def test_augmentation_changes_the_weights() -> None:
    clips = [bell(pitch) for pitch in (50, 55, 60)]
    states = []
    for augmentations in (0, 4):
        model = make(epochs=2, augmentations=augmentations)
        fit(model, clips, seed=1, device="cpu")
        states.append(model.state())
    assert len(states[0]["reference_features"]) == len(states[1]["reference_features"]) == 3
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
    model = make(epochs=1, augmentations=4, transpose=1)
    fit(model, clips, seed=1, device="cpu")
    known = model.net.reference_features.clone()
    recorded = originals(model.examples(clips))
    model.net.set_reference(recorded.features, recorded.present)
    assert torch.allclose(known, model.net.reference_features, atol=1e-5)


def test_the_cache_changes_no_weight(tmp_path: Path) -> None:
    clips = [beating(pitch) for pitch in (50, 55, 60, 65)]
    states = []
    for cache in (None, NoteCache(tmp_path), NoteCache(tmp_path)):
        model = make(epochs=3, augmentations=2, transpose=1)
        model.cache = cache
        fit(model, clips, seed=1, device="cpu")
        states.append(model.state())
    assert len(list(tmp_path.rglob("*.npz"))) == 12
    for state in states[1:]:
        assert all(torch.equal(state[name], tensor) for name, tensor in states[0].items())


def test_two_thirds_of_the_training_examples_are_augmented() -> None:
    """The loss of a note depends on its augmented copies for two of three seeds."""
    model = make(augmentations=2, input_noise=0.0, dropout=0.0)
    examples = Targets(*model.prepare([beating(55)], torch.Generator().manual_seed(0)))
    other = examples.log_t60.clone()
    other[:, 1:] += 1.0
    changed = examples._replace(log_t60=other)
    differs = []
    for seed in range(200):
        losses = [model.loss(e, torch.Generator().manual_seed(seed)) for e in (examples, changed)]
        differs.append(not torch.equal(*losses))
    assert np.mean(differs) == pytest.approx(2 / 3, abs=0.1)


@pytest.fixture(scope="module")
def padded_targets(trained: Modal) -> Targets:
    """Targets of notes of two and of one partial: the second is padded."""
    pure = damped([300.0], [1.5], rate=RATE, seconds=3.0)
    both = trained.examples([bell(53), Clip("bells/x/pure", 62, pure, RATE)])
    assert not bool(both.present.all())
    return both


def loss(model: Modal, targets: Targets) -> float:
    return model.loss(targets, torch.Generator().manual_seed(0)).item()


def test_padding_does_not_contribute_to_the_loss(trained: Modal, padded_targets: Targets) -> None:
    padding = padded_targets.present == 0
    expected = loss(trained, padded_targets)
    for name in ("log_t60", "persists", "censored"):
        value = getattr(padded_targets, name)
        changed = padded_targets._replace(**{name: torch.where(padding, 1 - value, value)})
        assert loss(trained, changed) == pytest.approx(expected, rel=1e-6)


def test_weights_are_relative_shares_of_the_loss(trained: Modal, padded_targets: Targets) -> None:
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


def test_input_noise_scales_with_the_spread_of_each_feature(padded_targets: Targets) -> None:
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


def test_a_held_tone_is_continued_as_one() -> None:
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
    """A bell with a knock that sounds in the prime alone."""
    note = bell(pitch).samples.copy()
    knock = damped([hz], [0.25], [0.5], rate=RATE, noise_db=-85, seed=seed)
    note[:PRIME] += knock[:PRIME]
    return Clip(f"bells/x/{pitch}", pitch, note, RATE)


def test_transients_are_not_continued() -> None:
    knocks_hz = np.random.default_rng(1).uniform(900, 1500, 22)
    clips = [thud(p, hz, p) for p, hz in zip(range(48, 70), knocks_hz, strict=True)]
    unseen = thud(59, 1111.0, 3)
    level = {}
    for drop in (True, False):
        model = make(drop_transients=drop)
        fit(model, [c for c in clips if c.pitch != 59], seed=3, device="cpu")
        # Else the knock, as novel, would decay by its own slope.
        model.net.reference_features = model.net.reference_features[:0]
        made = model.continue_prime(unseen.samples[:PRIME], RATE)[RATE // 5 :]
        turns = np.exp(-2j * np.pi * 1111.0 * np.arange(len(made)) / RATE)
        level[drop] = np.abs(made @ turns)
    assert level[True] < 0.5 * level[False]


def test_notes_that_do_not_suit_are_named() -> None:
    short = Clip("bells/x/1", 60, np.ones(PRIME + 10, np.float32), RATE)
    with pytest.raises(UserError, match="bells/x/1 has 1330 samples"):
        make().prepare([short], torch.Generator())
    silent = Clip("bells/x/2", 60, np.zeros(RATE, np.float32), RATE)
    with pytest.raises(UserError, match="nothing to learn"):
        make().prepare([silent], torch.Generator())
