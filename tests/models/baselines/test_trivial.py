"""Silence and repetition."""

from __future__ import annotations

import numpy as np
import pytest

from notedecay.models import Signal, create

SIGNAL = Signal(instrument="test", rate=1000, prime_seconds=0.1)


def test_repeat_goes_on_where_the_prime_ends() -> None:
    prime = np.arange(100, dtype=np.float32)
    made = create("repeat", SIGNAL, {"seconds": 0.003}).continue_prime(prime, 8)
    assert made.tolist() == [97, 98, 99, 97, 98, 99, 97, 98]


@pytest.mark.parametrize(("seconds", "block"), [(0.001, 1), (5.0, 100)])
def test_a_block_is_a_sample_at_least_and_the_prime_at_most(seconds: float, block: int) -> None:
    prime = np.arange(100, dtype=np.float32)
    made = create("repeat", SIGNAL, {"seconds": seconds}).continue_prime(prime, 250)
    assert np.array_equal(made[:block], prime[-block:])
    assert np.array_equal(made[block:], made[:-block])
