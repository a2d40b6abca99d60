"""What notes teach, as they were played and as other strokes might have had them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.models.modal.features import OCTAVE
from notedecay.models.modal.partials import Partials
from notedecay.models.modal.targets import Lesson, as_played, lesson, lessons, one_stroke, stack
from tests.synthetic import damped

RATE, PRIME = 4000, 1320
BEATING = damped([440, 440.8, 900], [2.5, 4.0, 2.0], [1, 0.4, 0.3], rate=RATE, noise_db=-80)


def decays(stroke: Lesson) -> torch.Tensor:
    """Decay times of the partials at 440 and at 900 Hz."""
    octaves = torch.tensor([0.0, np.log2(900 / 440)])
    return stroke.log_t60[(stroke.features[:, OCTAVE] - octaves[:, None]).abs().argmin(dim=1)]


def test_other_strokes_teach_other_decays_of_the_same_partials() -> None:
    played, *others = lessons(BEATING.tobytes(), RATE, PRIME, 6)
    assert len(others) == 6
    assert lessons(BEATING.tobytes(), RATE, PRIME, 0)[0].log_t60.equal(played.log_t60)
    times = torch.stack([decays(one) for one in others])
    assert times.std(dim=0)[0] > 0.02
    assert times.std(dim=0)[1] < 0.01
    assert torch.allclose(times.median(dim=0).values, decays(played), atol=0.15)


def test_strokes_are_padded_to_as_many_partials() -> None:
    one = lessons(BEATING.tobytes(), RATE, PRIME, 2)
    pure = damped([300], [1.0], rate=RATE, noise_db=-80)
    notes = stack([one, lessons(pure.tobytes(), RATE, PRIME, 2)])
    most = max(len(stroke.present) for stroke in one)
    assert notes.present.shape == (2, 3, most)
    assert notes.features.shape[:3] == (2, 3, most)
    assert torch.equal(as_played(notes).log_t60[0, : len(one[0].log_t60)], one[0].log_t60)
    assert stack([]).present.shape == (0, 1, 0)


def test_a_note_is_drawn_as_played_or_as_another_stroke() -> None:
    notes = stack([lessons(BEATING.tobytes(), RATE, PRIME, 3)] * 600)
    notes = notes._replace(holds=torch.arange(4.0)[None, :, None].expand_as(notes.holds))
    drawn = one_stroke(notes, torch.Generator().manual_seed(0)).holds[:, 0]
    share = np.bincount(drawn.int().numpy(), minlength=4) / 600
    assert np.allclose(share, [3 / 9, 2 / 9, 2 / 9, 2 / 9], atol=0.05)
    single = stack([lessons(BEATING.tobytes(), RATE, PRIME, 0)])
    assert torch.equal(one_stroke(single, torch.Generator()).log_t60, single.log_t60[:, 0])


def targets(frequencies_hz: list[float], after: np.ndarray, amplitude: float = 0.5) -> Lesson:
    """Training targets of partials of one amplitude."""
    count = len(frequencies_hz)
    alike = np.full(count, amplitude, complex)
    partials = Partials(np.array(frequencies_hz), alike, np.ones(count))
    return lesson(partials, np.zeros((count, 1)), after.astype(np.float64), RATE)


def test_partials_outside_the_evaluated_range_have_a_fifth_of_the_weight() -> None:
    """One partial lies 60 dB under the strongest; the measures evaluate those within 45 dB."""
    after = damped([440, 900, 1300], [2.0, 1.5, 1.2], [1, 0.1, 1e-3], rate=RATE)
    assert targets([440, 900, 1300], after).weight.tolist() == pytest.approx([1.0, 1.0, 0.2])


def test_the_ten_strongest_partials_have_the_largest_weights() -> None:
    frequencies = [150.0 * k for k in range(1, 13)]
    after = damped(frequencies, [2.0] * 12, [0.8**k for k in range(12)], rate=RATE)
    weight = targets(frequencies, after).weight
    assert (weight[:10] > 3 * weight[10:].max()).all()
    assert (weight[10:] > 0).all()


def test_decay_targets_are_the_true_time_or_a_lower_bound() -> None:
    after = damped([440, 900], [2.0, 1e6], [1, 1], rate=RATE)
    found = targets([440, 900], after, amplitude=0.25)
    assert found.log_t60.exp()[0].item() == pytest.approx(2.0, rel=0.02)
    assert found.holds.tolist() == [0.0, 1.0]
    assert found.log_t60.exp()[1].item() == pytest.approx(20.0)  # the slowest that is judged
    assert found.weight.tolist() == [1.0, 1.0]


def test_a_partial_that_has_fallen_to_a_steady_tone_has_no_decay_target() -> None:
    after = damped([440, 900], [2.0, 1e6], [1, 0.01], rate=RATE)
    found = targets([440, 900], after)
    assert found.holds.tolist() == [0.0, 0.0]
    assert found.weight.tolist() == [1.0, 0.0]


def test_a_partial_persists_if_the_continuation_has_one_within_15_hz() -> None:
    after = damped([440, 900], [2.0, 1.5], [1, 0.1], rate=RATE)
    lasts = targets([440, 450, 480, 900, 1300], after).lasts
    assert lasts.tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]


def test_augmentations_of_two_notes_are_independent() -> None:
    other = damped([440, 440.8, 900], [2.5, 4.0, 2.0], [1, 0.4, 0.3], rate=RATE, noise_db=-79.9)
    changes = []
    for note in (BEATING, other):
        played, *again = lessons(note.tobytes(), RATE, PRIME, 12)
        changes.append([(decays(one) - decays(played))[0].item() for one in again])
    assert abs(np.corrcoef(changes)[0, 1]) < 0.7
