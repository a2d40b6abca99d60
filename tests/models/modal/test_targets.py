"""Training targets of notes as recorded, and of re-excited copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from notedecay.models.modal import targets as targets_module
from notedecay.models.modal.features import OCTAVE_COLUMN
from notedecay.models.modal.partials import Partials
from notedecay.models.modal.targets import (
    Targets,
    note_targets,
    originals,
    partial_targets,
    sample_copies,
    stack,
)
from notedecay.models.note_cache import NoteCache
from tests.synthetic import damped

RATE, PRIME = 4000, 1320
BEATING = damped([440, 440.8, 900], [2.5, 4.0, 2.0], [1, 0.4, 0.3], rate=RATE, noise_db=-80)


def decays(copy: Targets) -> torch.Tensor:
    """Decay times of the partials at 440 and at 900 Hz."""
    octaves = torch.tensor([0.0, np.log2(900 / 440)])
    apart = (copy.features[:, OCTAVE_COLUMN] - octaves[:, None]).abs()
    return copy.log_t60[apart.argmin(dim=1)]


def test_re_excited_copies_have_other_decays_of_the_same_partials() -> None:
    original, *copies = note_targets(BEATING.tobytes(), RATE, PRIME, 6)
    assert len(copies) == 6
    assert note_targets(BEATING.tobytes(), RATE, PRIME, 0)[0].log_t60.equal(original.log_t60)
    times = torch.stack([decays(one) for one in copies])
    assert times.std(dim=0)[0] > 0.02
    assert times.std(dim=0)[1] < 0.01
    assert torch.allclose(times.median(dim=0).values, decays(original), atol=0.15)


def test_copies_are_padded_to_the_same_number_of_partials() -> None:
    one = note_targets(BEATING.tobytes(), RATE, PRIME, 2)
    pure = damped([300], [1.0], rate=RATE, noise_db=-80)
    notes = stack([one, note_targets(pure.tobytes(), RATE, PRIME, 2)])
    most = max(len(copy.present) for copy in one)
    assert notes.present.shape == (2, 3, most)
    assert notes.features.shape[:3] == (2, 3, most)
    assert torch.equal(originals(notes).log_t60[0, : len(one[0].log_t60)], one[0].log_t60)
    assert stack([]).present.shape == (0, 1, 0)


def test_a_third_of_the_samples_are_the_recorded_note() -> None:
    notes = stack([note_targets(BEATING.tobytes(), RATE, PRIME, 3)] * 600)
    notes = notes._replace(censored=torch.arange(4.0)[None, :, None].expand_as(notes.censored))
    sampled = sample_copies(notes, torch.Generator().manual_seed(0)).censored[:, 0]
    share = np.bincount(sampled.int().numpy(), minlength=4) / 600
    assert np.allclose(share, [3 / 9, 2 / 9, 2 / 9, 2 / 9], atol=0.05)
    single = stack([note_targets(BEATING.tobytes(), RATE, PRIME, 0)])
    assert torch.equal(sample_copies(single, torch.Generator()).log_t60, single.log_t60[:, 0])


def targets(frequencies_hz: list[float], after: np.ndarray, amplitude: float = 0.5) -> Targets:
    """Training targets of partials of one amplitude."""
    count = len(frequencies_hz)
    alike = np.full(count, amplitude, complex)
    partials = Partials(np.array(frequencies_hz), alike, np.ones(count))
    return partial_targets(partials, np.zeros((count, 1)), after.astype(np.float64), RATE)


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
    assert found.censored.tolist() == [0.0, 1.0]
    assert found.log_t60.exp()[1].item() == pytest.approx(20.0)  # the slowest that is judged
    assert found.weight.tolist() == [1.0, 1.0]


def test_a_partial_that_has_fallen_to_a_steady_tone_has_no_decay_target() -> None:
    after = damped([440, 900], [2.0, 1e6], [1, 0.01], rate=RATE)
    found = targets([440, 900], after)
    assert found.censored.tolist() == [0.0, 0.0]
    assert found.weight.tolist() == [1.0, 0.0]


def test_a_partial_persists_if_the_continuation_has_one_within_15_hz() -> None:
    after = damped([440, 900], [2.0, 1.5], [1, 0.1], rate=RATE)
    persists = targets([440, 450, 480, 900, 1300], after).persists
    assert persists.tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]


def test_augmentations_of_two_notes_are_independent() -> None:
    other = damped([440, 440.8, 900], [2.5, 4.0, 2.0], [1, 0.4, 0.3], rate=RATE, noise_db=-79.9)
    changes = []
    for note in (BEATING, other):
        original, *again = note_targets(note.tobytes(), RATE, PRIME, 12)
        changes.append([(decays(one) - decays(original))[0].item() for one in again])
    assert abs(np.corrcoef(changes)[0, 1]) < 0.7


def test_a_note_is_measured_once_for_every_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 notes, walked in order and again, with another process between."""
    count, measured = 400, []

    def counted(note: bytes, *settings: int) -> tuple[Targets, ...]:
        measured.append((note, *settings))
        return plain

    plain = note_targets(BEATING.tobytes(), RATE, PRIME, 1)
    monkeypatch.setattr(targets_module, "_measured", counted)
    notes = [np.float32([number]).tobytes() for number in range(count)]
    for _ in range(2):
        cache = NoteCache(tmp_path)
        for note in notes:
            note_targets(note, RATE, PRIME, 1, cache)
    assert len(measured) == count
    for other in [(RATE + 1, PRIME, 1), (RATE, PRIME + 1, 1), (RATE, PRIME, 2)]:
        note_targets(notes[0], *other, NoteCache(tmp_path))
    assert len(measured) == count + 3


def test_cached_targets_are_the_measured_ones_bit_for_bit(tmp_path: Path) -> None:
    silent = np.zeros(2 * RATE, np.float32)
    for note, copies in ((BEATING, 2), (BEATING, 0), (silent, 3)):
        expected = note_targets(note.tobytes(), RATE, PRIME, copies)
        for _ in range(2):
            found = note_targets(note.tobytes(), RATE, PRIME, copies, NoteCache(tmp_path))
            assert len(found) == len(expected) == 1 + copies
            for one, other in zip(found, expected, strict=True):
                assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
                assert all(a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def test_a_damaged_file_of_targets_is_measured_again(tmp_path: Path) -> None:
    expected = note_targets(BEATING.tobytes(), RATE, PRIME, 1, NoteCache(tmp_path))
    [file] = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    again = note_targets(BEATING.tobytes(), RATE, PRIME, 1, NoteCache(tmp_path))
    assert torch.equal(again[1].log_t60, expected[1].log_t60)
    assert len(file.read_bytes()) == len(whole)
