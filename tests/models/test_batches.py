"""Examples by batch are those of all notes at once, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from notedecay.data.note import Clip
from notedecay.models.batches import ByNote, Examples, InMemory
from tests.synthetic import damped

RATE = 2000
CLIPS = [
    Clip(f"test/{i}", 60 + i, damped([200.0 + i], [1.0], seconds=seconds, rate=RATE), RATE)
    for i, seconds in enumerate((0.5, 1.5, 1.0, 0.7))
]


def framed(clips: Sequence[Clip]) -> Examples:
    """Blocks of 100 samples and their mask, filled up to the longest note."""
    blocks = [torch.from_numpy(clip.samples).reshape(-1, 100) for clip in clips]
    mask = [torch.ones(len(note)) for note in blocks]
    pad = nn.utils.rnn.pad_sequence
    return pad(blocks, batch_first=True), pad(mask, batch_first=True)


@pytest.mark.parametrize("notes", [[0], [1], [3, 0], [2, 0, 3], [3, 2, 1, 0]])
def test_a_batch_is_the_same_however_it_is_made(notes: list[int]) -> None:
    anew, kept = ByNote(framed, CLIPS, steps=30), InMemory(framed(CLIPS))
    assert len(anew) == len(kept) == 4
    chosen = torch.tensor(notes)
    for one, other in zip(anew.batch(chosen), kept.batch(chosen), strict=True):
        assert one.is_contiguous()
        assert torch.equal(one, other)


def test_no_more_notes_are_made_than_a_batch_has() -> None:
    made: list[str] = []

    def counted(clips: Sequence[Clip]) -> Examples:
        made.extend(clip.id for clip in clips)
        return framed(clips)

    batches = ByNote(counted, CLIPS, steps=30).to(torch.device("cpu"))
    assert made == []
    blocks, mask = batches.batch(torch.tensor([2, 0]))
    assert made == ["test/2", "test/0"]
    assert blocks.shape == (2, 30, 100)
    assert mask.sum(dim=1).tolist() == [20, 10]
    assert not blocks[1, 10:].any()
