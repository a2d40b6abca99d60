"""Framing: blocks lie on the end of the prime, whatever rate and resolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from notedecay.core.errors import UserError
from notedecay.models.recurrent.blocks import Blocks


@given(
    rate=st.integers(1000, 48_000),
    resolution=st.floats(5, 200),
    prime=st.integers(50, 20_000),
    rest=st.integers(0, 5000),
)
def test_a_block_ends_where_the_prime_ends(
    rate: int, resolution: float, prime: int, rest: int
) -> None:
    blocks = Blocks(rate, resolution)
    assume(blocks.size <= prime)
    note = np.arange(prime + rest, dtype=np.float32)
    cut = blocks.cut(note, prime)
    in_prime = (prime - blocks.lead(prime)) // blocks.size
    assert cut[in_prime - 1, -1] == prime - 1
    assert 0 <= cut[0, 0] < blocks.size
    assert len(note) - 1 - cut[-1, -1] < blocks.size
    assert np.array_equal(blocks.join(cut, cut.size), np.arange(cut[0, 0], cut[-1, -1] + 1))


@given(st.integers(1, 500), st.integers(0, 20_000))
def test_covering_is_just_enough(size: int, samples: int) -> None:
    blocks = Blocks(size * 20, 20)
    count = blocks.covering(samples)
    assert (count - 1) * size < samples <= count * size or (count == 0 and samples == 0)


def test_the_paper_s_block() -> None:
    assert Blocks(2940, 60).size == 49
    assert Blocks(8820, 60).size == 147


def test_a_prime_shorter_than_a_block_is_refused() -> None:
    with pytest.raises(UserError, match="between 10 and 1000 blocks per second"):
        Blocks(1000, 5).lead(100)
