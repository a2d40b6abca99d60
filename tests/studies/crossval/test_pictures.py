"""What is drawn, and what is left out since it would only be in the way."""

from __future__ import annotations

from typing import Any

import pytest

from notedecay.data.pitch import hz
from notedecay.studies.crossval.pictures import harmonic, ratios


def partial(number: float, made: float | None, pitch: int = 57) -> dict[str, Any]:
    return {"pitch": pitch, "frequency_hz": number * hz(pitch), "t60": 2.0, "t60_made": made}


def test_partials_are_gathered_by_number_and_those_alone_are_left_out() -> None:
    rows = [partial(1, 2.0), partial(1.01, 4.0, 60), partial(2, 1.0), partial(13, 1.0)]
    assert ratios(rows, harmonic) == {1: [1.0, 2.0]}
    assert ratios([*rows, partial(13, 1.0)], harmonic) == {1: [1.0, 2.0]}  # no plain number
    more = ratios([*rows, partial(2, None)], harmonic)
    assert more[2] == pytest.approx([0.5, float("nan")], nan_ok=True)
