"""How alike a note dies away when it is played again: what no model could tell from its pitch.

Every note is continued by the other takes of it (the same pitch on the same string, softer or
louder; brought to its level), by the modal model, which never learned the pitch, and by ESPRIT,
and all are judged by the same measures. docs/research-log.md shows what this prints.

    python benchmarks/takes.py iowa-guitar=data/iowa-guitar
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pooling import Instrument

from notedecay.data.note import Clip
from notedecay.metrics import Reference
from notedecay.metrics.scores import Scores
from notedecay.models import create
from notedecay.training import fit

MEASURES = ("decay_ok", "missing", "pitch_cents", "envelope_db", "score")
LEVEL_SECONDS = 0.1
"""After the prime, in which another take is brought to the level of a note."""
LOUDNESS = ("pp", "mf", "ff")

Found = Mapping[str, Sequence[Scores]]
"""Of notes, by their ids: each one or more continuations."""


def takes_of(clip: Clip) -> tuple[str, str, int]:
    """Loudness, string and pitch of a note, whose id is ``.../ff-sulA/A2``."""
    loudness, string = clip.id.split("/")[-2].split("-", maxsplit=1)
    return loudness, string, clip.pitch


def played_again(clips: Sequence[Clip], prime_samples: int) -> tuple[Found, Found]:
    """Judge other takes of each note as its continuations: all, and those next in loudness."""
    every, near = defaultdict(list), defaultdict(list)
    for clip in clips:
        loudness, *note = takes_of(clip)
        reference = Reference(
            clip.samples[prime_samples:], clip.rate, float(np.abs(clip.samples).max())
        )
        for other in clips:
            its_loudness, *its_note = takes_of(other)
            apart = abs(LOUDNESS.index(loudness) - LOUDNESS.index(its_loudness))
            if its_note != note or not apart:
                continue
            scores = reference.score(_instead(clip, other, prime_samples))
            every[clip.id].append(scores)
            if apart == 1:
                near[clip.id].append(scores)
    return every, near


def _instead(clip: Clip, other: Clip, prime_samples: int) -> NDArray[np.float64]:
    """What follows the prime of another take, as loud and as long as what follows this one's."""
    after, its = (c.samples[prime_samples:].astype(np.float64) for c in (clip, other))
    soon = round(LEVEL_SECONDS * clip.rate)
    gain = np.sqrt(np.sum(after[:soon] ** 2) / np.sum(its[:soon] ** 2))
    return np.asarray(gain * np.pad(its, (0, max(0, len(after) - len(its))))[: len(after)])


def continued(instrument: Instrument, name: str, settings: Mapping[str, object]) -> Found:
    """Judge a continuator on each note, after it has learned from notes of other pitches."""
    found = {}
    for part in instrument.parts:
        continuator = create(name, instrument.signal, settings)
        fit(continuator, part.learned, seed=0, device="cpu")
        found |= {one.clip.id: [one.scores] for one in part.panel.judge(continuator)}
    return found


def rows(instrument: Instrument, epochs: int) -> Iterator[str]:
    """Lines of the table, over the notes that were played again."""
    all_takes, near_takes = played_again(instrument.clips, instrument.signal.prime_samples)
    settings = {"units": 32, "dropout": 0.2, "input_noise": 0.1, "learning_rate": 4e-3}
    modal = continued(instrument, "modal", {**settings, "epochs": epochs})
    ways = {
        "another take of the same note": all_takes,
        "another take, next in loudness": near_takes,
        "modal, which never learned the pitch": modal,
        "ESPRIT": continued(instrument, "esprit", {}),
    }
    for label, found in ways.items():
        notes = [found[id_] for id_ in all_takes if id_ in found]
        each = [[np.mean([getattr(s, m) for s in note]) for m in MEASURES] for note in notes]
        figures = " | ".join(f"{value:.2f}" for value in np.nanmean(each, axis=0))
        yield f"| {label} ({len(notes)} notes) | {figures} |"


def main() -> None:
    """Print a table: ways to go on, by measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instrument", metavar="NAME=FOLDER")
    parser.add_argument("--epochs", type=int, default=150)
    chosen = parser.parse_args()
    name, folder = chosen.instrument.split("=", 1)
    instrument = Instrument.read(name, Path(folder))
    print(f"| {name} | {' | '.join(MEASURES)} |")
    print("| --- " * (1 + len(MEASURES)) + "|")
    for row in rows(instrument, chosen.epochs):
        print(row, flush=True)


if __name__ == "__main__":
    main()
