"""What notes teach, as they were played and as other strokes might have had them."""

from __future__ import annotations

import numpy as np
import torch

from notedecay.continuators.modal_features import OCTAVE
from notedecay.continuators.modal_lessons import (
    AS_PLAYED,
    Lesson,
    as_played,
    lessons,
    one_stroke,
    stack,
)
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
    assert np.allclose(share, [AS_PLAYED, *[(1 - AS_PLAYED) / 3] * 3], atol=0.05)
    single = stack([lessons(BEATING.tobytes(), RATE, PRIME, 0)])
    assert torch.equal(one_stroke(single, torch.Generator()).log_t60, single.log_t60[:, 0])
