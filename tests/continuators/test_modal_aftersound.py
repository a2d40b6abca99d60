"""What partials fall to is found in notes of known two-stage decay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from notedecay.analysis.decay import decay_time, decay_times, envelope_floors, partial_envelopes
from notedecay.continuators.modal_aftersound import (
    BOTTOMLESS_DB,
    LEAST_DEPTH_DB,
    Bends,
    aftersound,
    bends,
    stages,
)
from notedecay.continuators.modal_decay import LONGEST
from tests.synthetic import damped

RATE = 4000
FREQUENCIES = np.array([300.0, 700.0, 1500.0])


def measured(depth_db: float, late_t60: float, seconds: float = 5.0) -> Bends:
    """Partials of a note that falls quickly, and from a depth on slowly."""
    amplitudes = np.array([1.0, 0.5, 1e-4])
    early = damped(FREQUENCIES, [1.5] * 3, amplitudes, rate=RATE, seconds=seconds)
    late = damped(FREQUENCIES, [late_t60] * 3, amplitudes, rate=RATE, seconds=seconds)
    note = early.astype(np.float64) + 10 ** (-depth_db / 20) * late
    envelopes = partial_envelopes(note, RATE, FREQUENCIES)
    floors = envelope_floors(envelopes)
    level_db = 20 * np.log10(amplitudes)
    return bends(envelopes, floors, decay_times(envelopes, floors), level_db)


def test_a_two_stage_decay_is_measured() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.t60[:2] == pytest.approx(20, rel=0.05)
    assert found.depth_db[:2] == pytest.approx(40 - 60 * 0.05 * (1 / 1.5 - 1 / 20), abs=1)


def test_a_faint_partial_is_not_asked() -> None:
    found = measured(depth_db=40, late_t60=20)
    assert found.depth_db[2] == found.t60[2] == 0


def test_what_falls_on_one_line_has_no_bottom() -> None:
    found = measured(depth_db=200, late_t60=1.5, seconds=1.5)
    assert found.depth_db[:2].tolist() == [BOTTOMLESS_DB] * 2
    assert found.t60[:2].tolist() == [0, 0]


def test_what_holds_has_the_longest_aftersound() -> None:
    assert measured(depth_db=45, late_t60=1e6).t60[:2] == pytest.approx(LONGEST)


def test_an_instrument_falls_to_what_its_partials_do() -> None:
    depth = torch.tensor([[50.0, 60.0, BOTTOMLESS_DB], [0.0, 55.0, 0.0]])
    t60 = torch.tensor([[8.0, 12.0, 0.0], [0.0, 10.0, 0.0]])
    found = aftersound(depth, t60)
    assert 50 < found[0] < 56
    assert found[1] == 10


def test_no_decay_is_judged_by_a_bottom_and_none_is_made_up() -> None:
    assert aftersound(torch.tensor([20.0]), torch.tensor([9.0]))[0] == LEAST_DEPTH_DB
    assert aftersound(torch.tensor([BOTTOMLESS_DB]), torch.zeros(1)) == (BOTTOMLESS_DB, LONGEST)
    assert aftersound(torch.zeros(0), torch.zeros(0)) == (BOTTOMLESS_DB, LONGEST)


@pytest.mark.parametrize("depth_db", [38.0, 50.0, BOTTOMLESS_DB])
@pytest.mark.parametrize("t60", [0.8, 3.0, 12.0])
def test_two_stages_are_judged_as_the_one(t60: float, depth_db: float) -> None:
    first, second, weaker = stages(
        torch.tensor([t60]), torch.tensor(depth_db), torch.tensor(20.0)
    )  # fmt: skip
    t = torch.arange(0, 20, 0.01)
    both = (1 - weaker) * 10 ** (-3 * t / first) + weaker * 10 ** (-3 * t / second)
    envelope_db = 20 * torch.log10(both).double().numpy()
    assert decay_time(envelope_db, -200.0) == pytest.approx(t60, rel=0.05)
    if depth_db < BOTTOMLESS_DB and t60 < 5:
        assert envelope_db[-1] == pytest.approx(-60 * 19.99 / 20 - depth_db, abs=0.5)
    assert float(weaker) < 10 ** (-37.9 / 20)
