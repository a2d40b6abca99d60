"""Audio and pictures of notes: comparable by ear, never clipped, never of what is not finite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from notedecay.data.note import Clip
from notedecay.training import listening
from notedecay.training.evaluator import EvaluationSet
from tests.synthetic import damped

RATE, PRIME = 4000, 1320


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Titles of the pictures that are drawn."""
    seen: list[str] = []
    drawn = listening.triple

    def triple(*arguments):  # type: ignore[no-untyped-def]
        seen.append(arguments[-1])
        return drawn(*arguments)

    monkeypatch.setattr(listening, "triple", triple)
    return seen


def written(note: np.ndarray, continuation: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    clip = Clip("piano/ff/C4", 60, note.astype(np.float32), RATE)
    [item] = EvaluationSet([clip], PRIME).score([note[PRIME:]])
    item = replace(item, continuation=continuation.astype(np.float32))
    listening.write_listening([item], PRIME, folder)
    own = folder / "piano.ff.C4"
    assert (own / "picture.png").exists()
    return {path.stem: sf.read(path)[0] for path in sorted(own.glob("*.wav"))}


NOTE = damped([261.6, 523.2], [2.0, 1.0], seconds=1.5, rate=RATE)


@pytest.mark.parametrize("growth", [0.5, 1.0, 8.0])
@pytest.mark.parametrize("peak", [0.5, 1.0, 3.0])
def test_one_gain_for_all_sounds_of_a_note(
    tmp_path: Path, titles: list[str], peak: float, growth: float
) -> None:
    note = 2 * peak * NOTE
    rest = growth * note[PRIME:]
    sounds = written(note, rest, tmp_path)
    whole = np.concatenate([note[:PRIME], rest])
    scale = max(1.0, np.abs(note).max(), np.abs(whole).max())
    truth = {"original": note, "with_prime": whole, "without_prime": rest}
    assert sounds.keys() == truth.keys()
    for name, sound in truth.items():
        np.testing.assert_allclose(sounds[name], sound / scale, atol=1e-6)
    line = f"audio: peak {scale:.6g} is above full scale: scaled by {-20 * np.log10(scale):.1f} dB"
    assert titles == ["piano/ff/C4" + (f"\n{line}" if scale > 1 else "")]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_continuation_that_is_not_finite_has_no_audio(
    tmp_path: Path, titles: list[str], bad: float
) -> None:
    rest = NOTE[PRIME:].copy()
    rest[-1] = bad
    sounds = written(NOTE, rest, tmp_path)
    assert list(sounds) == ["original"]
    assert titles == ["piano/ff/C4\nthe continuation holds NaN or infinite samples: no audio"]
