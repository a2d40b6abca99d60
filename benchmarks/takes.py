"""Agreement of the decays of several takes of a note, as a yardstick for models.

Every note is continued by its other takes (the same pitch on the same string, softer or louder,
brought to its level), by a modal model that is trained on other pitches, and by ESPRIT. All
continuations are evaluated by the same measures. docs/research-log.md shows what this prints. The
instrument must be prepared; its test notes are not used.

    python benchmarks/takes.py iowa-guitar
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from notedecay.core.config import load_params
from notedecay.core.project import find_project
from notedecay.data.folds import folds
from notedecay.data.note import Clip
from notedecay.experiments.dataset import Dataset, load_dataset
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


def other_takes(clips: Sequence[Clip], prime_samples: int) -> tuple[Found, Found]:
    """Scores of other takes of each note as its continuations: all, and those next in loudness."""
    every, next_in_loudness = defaultdict(list), defaultdict(list)
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
                next_in_loudness[clip.id].append(scores)
    return every, next_in_loudness


def _instead(clip: Clip, other: Clip, prime_samples: int) -> NDArray[np.float64]:
    """What follows the prime of another take, as loud and as long as what follows this one's."""
    after, its = (c.samples[prime_samples:].astype(np.float64) for c in (clip, other))
    soon = round(LEVEL_SECONDS * clip.rate)
    gain = np.sqrt(np.sum(after[:soon] ** 2) / np.sum(its[:soon] ** 2))
    return np.asarray(gain * np.pad(its, (0, max(0, len(after) - len(its))))[: len(after)])


def continued(dataset: Dataset, name: str, settings: Mapping[str, object]) -> Found:
    """Scores of a model on each note, trained on notes of other pitches."""
    found: dict[str, Sequence[Scores]] = {}
    for fold in folds(dataset.clips, count=5, seed=0, validation=0.15):
        model = create(name, dataset.signal, settings)
        fit(model, _of(dataset, {*fold.train, *fold.validation}), seed=0, device="cpu")
        scored = dataset.evaluation_set(_of(dataset, {*fold.unseen})).evaluate(model)
        found |= {one.clip.id: [one.scores] for one in scored}
    return found


def _of(dataset: Dataset, ids: set[str]) -> list[Clip]:
    return [clip for clip in dataset.clips if clip.id in ids]


def rows(dataset: Dataset, epochs: int) -> Iterator[str]:
    """Lines of the table, over the notes that have other takes."""
    all_takes, next_takes = other_takes(dataset.clips, dataset.signal.prime_samples)
    settings = {"units": 32, "dropout": 0.2, "input_noise": 0.1, "learning_rate": 4e-3}
    ways = {
        "another take of the same note": all_takes,
        "another take, next in loudness": next_takes,
        "modal, trained on other pitches": continued(
            dataset, "modal", {**settings, "epochs": epochs}
        ),
        "ESPRIT": continued(dataset, "esprit", {}),
    }
    for label, found in ways.items():
        notes = [found[id_] for id_ in all_takes if id_ in found]
        each = [[np.mean([getattr(s, m) for s in note]) for m in MEASURES] for note in notes]
        figures = " | ".join(f"{value:.2f}" for value in np.nanmean(each, axis=0))
        yield f"| {label} ({len(notes)} notes) | {figures} |"


def main() -> None:
    """Print a table: ways to continue, by measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instrument")
    parser.add_argument("--epochs", type=int, default=150)
    chosen = parser.parse_args()
    project = find_project()
    params = load_params(project.params)
    dataset = load_dataset(project.results(chosen.instrument), chosen.instrument, params)
    print(f"| {chosen.instrument} | {' | '.join(MEASURES)} |")
    print("| --- " * (1 + len(MEASURES)) + "|")
    for row in rows(dataset.only("train", "validation"), chosen.epochs):
        print(row, flush=True)


if __name__ == "__main__":
    main()
