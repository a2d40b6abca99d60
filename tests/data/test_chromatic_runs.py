from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from notedecay import audio
from notedecay.core.errors import UserError
from notedecay.data import chromatic_runs, names, pitch
from notedecay.data.tuning import tune
from tests.synthetic import damped

RATE = 22_050


def run(pitches: range, starts: list[float], seconds: float, *, clicks: int = 0) -> audio.Samples:
    """Notes that ring into each other, with handling noise between."""
    whole = np.zeros(round(seconds * RATE), np.float32)
    generator = np.random.default_rng(2)
    for midi, start in zip(pitches, starts, strict=True):
        f0 = pitch.hz(midi)
        first = round(start * RATE)
        left = (len(whole) - first) / RATE
        note = damped([f0, 2 * f0, 3 * f0], [3, 2, 1.5], [1, 0.6, 0.3], seconds=left, rate=RATE)
        whole[first:] += note[: len(whole) - first]
    for at in generator.uniform(0, seconds - 0.1, clicks):
        first = round(at * RATE)
        whole[first : first + 200] += 0.1 * generator.standard_normal(200).astype(np.float32)
    return whole


@pytest.mark.parametrize("clicks", [0, 12])
def test_notes_that_ring_into_each_other(clicks: int) -> None:
    starts = [0.1, 1.3, 2.2, 3.9, 4.7]
    cuts = chromatic_runs.cut(run(range(60, 65), starts, 6.5, clicks=clicks), RATE, range(60, 65))
    assert [cut.pitch for cut in cuts] == [60, 61, 62, 63, 64]
    assert [cut.start for cut in cuts] == pytest.approx(starts, abs=0.03)
    ends = [cut.start + cut.seconds for cut in cuts]
    assert ends[:-1] == pytest.approx([cut.start for cut in cuts[1:]])
    assert ends[-1] == pytest.approx(6.5)


def test_a_run_with_too_few_attacks_is_told() -> None:
    single = run(range(60, 61), [0.1], 2.0)
    with pytest.raises(UserError, match=r"\d attacks where the name lists 7 notes"):
        chromatic_runs.cut(single, RATE, range(60, 67))


def test_every_note_of_the_real_runs(real_data: Path) -> None:
    found, off = 0, []
    for path in sorted((real_data / "iowa" / "guitar").glob("*.flac")):
        named = names.parse(path.stem)
        assert named is not None
        if len(named.pitches) == 1:
            continue
        recording = audio.read(path)
        rate = recording.rate
        samples = audio.cleaned(recording, rate=rate, highpass_hz=50)
        for cut in chromatic_runs.cut(samples, rate, named.pitches):
            note = samples[round(cut.start * rate) : round((cut.start + cut.seconds) * rate)]
            off.append(abs(tune(note, rate, cut.pitch).cents))
            found += 1
    assert found == 56  # and three single notes: the folder's 59
    assert max(off) < 60
