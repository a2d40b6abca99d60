"""Choice between several pitches in a recording's name by its sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from notedecay import audio
from notedecay.audio.samples import Samples
from notedecay.data import names, pitch
from notedecay.data.measure import off_pitch
from notedecay.data.names import Named
from notedecay.data.tuning import tune

NO_PITCH = "no pitch in its name (name it like C4_ff.wav)"


def read_name(path: Path, highpass_hz: float) -> Named | str:
    """Parse a recording's name, and analyse the recording where the name is ambiguous.

    Parameters
    ----------
    path : Path
        The recording; opened only where its name holds several pitches.
    highpass_hz : float
        Corner of the rumble filter (Hz).

    Returns
    -------
    Named or str
        Parts of the name, or the reason why it cannot be used.

    Raises
    ------
    UserError
        A recording that had to be opened cannot be read.
    """
    found = names.readings(path.stem)
    if not found:
        return NO_PITCH
    if len(found) == 1:
        return found[0]
    recording = audio.read(path)
    samples = audio.cleaned(recording, rate=recording.rate, highpass_hz=highpass_hz)
    return choose(found, audio.from_onset(samples, recording.rate), recording.rate)


def choose(found: Sequence[Named], samples: Samples, rate: int) -> Named | str:
    """Choose between several readings of a name by the sound.

    Parameters
    ----------
    found : sequence of Named
        At least two.
    samples : ndarray of float32, shape (samples,)
        From the onset on, mono, high-passed.
    rate : int
        Hz.

    Returns
    -------
    Named or str
        The only parsed name that the sound fits, or the reason why there is none.
    """
    fitting = [named for named in found if _fits(named, samples, rate)]
    if len(fitting) == 1:
        return fitting[0]
    pitches = " and ".join(_spelt(named) for named in found)
    fits = "more than one" if fitting else "none"
    return f"several pitches in its name, {pitches}, and its sound fits {fits}: leave one of them"


def _fits(named: Named, samples: Samples, rate: int) -> bool:
    """A range of several pitches is not judged, and fits."""
    if len(named.pitches) > 1:
        return True
    (midi,) = named.pitches
    return off_pitch(tune(samples, rate, midi), midi) is None


def _spelt(named: Named) -> str:
    return "".join(
        dict.fromkeys(pitch.name(midi) for midi in (named.pitches[0], named.pitches[-1]))
    )
