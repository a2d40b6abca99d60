"""One modal model for all instruments, one for each, or one that never heard the instrument.

Notes are split by pitch as in the pipeline; the test pitches stay untouched. The others are
cross-validated by pitch: each note is judged by nets that never learned its pitch on its
instrument, or never learned its instrument at all. docs/pooling.md shows what this prints.

    python benchmarks/pooling.py piano=data/piano guitar=data/guitar --seeds 2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from notedecay.audio.samples import Samples
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips
from notedecay.data.note import Clip
from notedecay.models import Signal, create
from notedecay.models.modal.ensemble import ModalNet
from notedecay.models.modal.features import feature_count
from notedecay.models.modal.frontend import PrimeAnalysis
from notedecay.models.modal.model import Modal, ModalConfig
from notedecay.models.modal.noise_floor import SplitNote
from notedecay.models.modal.targets import Targets
from notedecay.studies.crossval.folds import folds
from notedecay.training import fit
from notedecay.training.evaluator import EvaluationSet, ScoredContinuation

Array = NDArray[np.float64]
MEASURES = ("decay_ok", "missing", "envelope_db", "excess_noise_db", "tail_db", "score")
COMPARED = ("decay_ok", "score")
"""Measures that are compared with those of the instrument's own model, note by note."""
FOLDS = 5
ENDS_SECONDS = 0.5
"""Stretch at both ends of a continuation over which its level is taken."""
FAINTEST = 1e-5


@dataclass(frozen=True)
class Hearing:
    """How an instrument is heard."""

    rate: int
    seconds: float
    highpass_hz: float
    decays: bool = True


HEARING: Mapping[str, Hearing] = {
    "piano": Hearing(8400, 5.0, 25.0),
    "guitar": Hearing(5600, 5.0, 50.0),
    "iowa-guitar": Hearing(5600, 5.0, 70.0),
    "cello": Hearing(10_000, 3.0, 40.0),
    "flute": Hearing(8000, 3.0, 40.0, decays=False),
}


class Ear(Modal):
    """A modal model that is also told the instrument: some numbers, the same for all partials."""

    def __init__(self, signal: Signal, config: ModalConfig, condition: Sequence[float]) -> None:
        super().__init__(signal, config)
        self.condition = condition
        width = feature_count() + len(condition)
        shape = (width, config.units, config.members, config.dropout)
        self.net = ModalNet(*shape, neighbours=config.neighbours, beats=config.beats)
        self.net.feature_mask[..., feature_count() :] = 1.0
        self.net.eval()

    def _note_targets(self, clip: Clip, augmentations: int) -> tuple[Targets, ...]:
        copies = super()._note_targets(clip, augmentations)
        return tuple(one._replace(features=self._conditioned(one.features)) for one in copies)

    def _analyse(self, prime: Samples) -> PrimeAnalysis:
        analysis = super()._analyse(prime)
        features = self._conditioned(torch.from_numpy(analysis.features)).numpy()
        return analysis._replace(features=features)

    def _conditioned(self, features: Tensor) -> Tensor:
        """Features of each partial, and the instrument."""
        condition = torch.tensor(self.condition, dtype=features.dtype)
        return torch.cat([features, condition.expand(len(features), -1)], dim=1)


class Pooled(Ear):
    """One net that learns from the notes of all ears, each heard at its own rate."""

    def __init__(self, ears: Mapping[str, Ear]) -> None:
        first = next(iter(ears.values()))
        super().__init__(first.signal, first.config, first.condition)
        self.ears = ears

    def _note_targets(self, clip: Clip, augmentations: int) -> tuple[Targets, ...]:
        return self.ears[clip.id.split(":")[0]]._note_targets(clip, augmentations)

    def _split(self, clip: Clip) -> SplitNote:
        return self.ears[clip.id.split(":")[0]]._split(clip)


@dataclass(frozen=True)
class Unseen:
    """Notes of an instrument, in parts: what is judged, and what may be learned meanwhile."""

    learned: list[Clip]
    panel: EvaluationSet


@dataclass(frozen=True)
class Instrument:
    """An instrument's notes, each unseen in one part."""

    name: str
    signal: Signal
    clips: list[Clip]
    parts: list[Unseen]

    @classmethod
    def read(cls, name: str, folder: Path) -> Instrument:
        """Catalogue, split and prepare; the test pitches are left out."""
        how = HEARING[name]
        signal = Signal(instrument=name, rate=how.rate, highpass_hz=how.highpass_hz)
        notes = catalogue.build(folder.parent, folder.name, highpass_hz=how.highpass_hz)
        parts = split.split(notes, validation=0.15, test=0.15, seed=2016)
        wanted = {*parts["train"], *parts["validation"]}
        cut = prepare_clips(
            folder.parent,
            [note for note in notes if note.id in wanted],
            rate=how.rate,
            seconds=how.seconds,
            highpass_hz=how.highpass_hz,
        )
        clips = [Clip(f"{name}:{c.id}", c.pitch, c.samples, c.rate) for c in cut]
        return cls(name, signal, clips, list(_parts(clips, signal.prime_samples)))


def _parts(clips: list[Clip], prime_samples: int) -> Iterator[Unseen]:
    for fold in folds(clips, FOLDS, seed=0):
        unseen = [clip for clip in clips if clip.id in fold.unseen]
        learned = [clip for clip in clips if clip.id in fold.learned]
        yield Unseen(learned, EvaluationSet(unseen, prime_samples))


Ears = dict[str, Ear]
Results = dict[tuple[str, str], list[list[ScoredContinuation]]]
"""By instrument and model: for each seed, all notes, always in the same order."""


def train(ears: Ears, clips: Sequence[Clip], seed: int, into: Mapping[str, Ear]) -> None:
    """Train one net for some ears and hand it to others."""
    pooled = Pooled(ears)
    began = time.perf_counter()
    fit(pooled, clips, seed=seed, device="cpu")
    print(f"{len(clips)} notes: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    for ear in into.values():
        ear.restore(pooled.state())


def own(
    instruments: Sequence[Instrument], ears: Ears, seed: int
) -> dict[str, list[ScoredContinuation]]:
    """One net for each instrument and fold."""
    found: dict[str, list[ScoredContinuation]] = {}
    for one in instruments:
        alone = {one.name: ears[one.name]}
        found[one.name] = []
        for part in one.parts:
            train(alone, part.learned, seed, alone)
            found[one.name] += part.panel.judge(ears[one.name])
    return found


def pooled(
    instruments: Sequence[Instrument], ears: Ears, seed: int
) -> dict[str, list[ScoredContinuation]]:
    """One net for all instruments, for each fold."""
    found: dict[str, list[ScoredContinuation]] = {one.name: [] for one in instruments}
    for k in range(FOLDS):
        train(ears, [clip for one in instruments for clip in one.parts[k].learned], seed, ears)
        for one in instruments:
            found[one.name] += one.parts[k].panel.judge(ears[one.name])
    return found


def never(
    instruments: Sequence[Instrument], ears: Ears, seed: int
) -> dict[str, list[ScoredContinuation]]:
    """One net for each instrument, of the other decaying ones; it is told none of them."""
    found: dict[str, list[ScoredContinuation]] = {}
    for one in instruments:
        others = [i for i in instruments if i is not one and HEARING[i.name].decays]
        stranger = Ear(one.signal, ears[one.name].config, [0.0] * len(ears[one.name].condition))
        train(ears, [clip for i in others for clip in i.clips], seed, {one.name: stranger})
        found[one.name] = [j for part in one.parts for j in part.panel.judge(stranger)]
    return found


Model = Callable[[Sequence[Instrument], Ears, int], dict[str, list[ScoredContinuation]]]
MODELS: Mapping[str, tuple[Model, bool]] = {
    "own": (own, False),
    "pooled": (pooled, False),
    "pooled with condition": (pooled, True),
    "never trained on it": (never, False),
    "never trained on it, condition 0": (never, True),
}
"""How each is trained, and whether with the instrument as a condition."""


def judge_all(
    instruments: Sequence[Instrument], models: Sequence[str], config: ModalConfig, seeds: int
) -> Iterator[Results]:
    """Train and judge the models on every instrument; all there is so far, after each seed."""
    esprit = {i.name: create("esprit", i.signal, {}) for i in instruments}
    results: Results = {
        (i.name, "ESPRIT"): [[j for p in i.parts for j in p.panel.judge(esprit[i.name])]]
        for i in instruments
    }
    rows = {False: [[] for _ in instruments], True: torch.eye(len(instruments)).tolist()}
    ears = {
        conditioned: {
            i.name: Ear(i.signal, config, row) for i, row in zip(instruments, told, strict=True)
        }
        for conditioned, told in rows.items()
    }
    for seed in range(seeds):
        for name in models:
            model, conditioned = MODELS[name]
            for instrument, judged in model(instruments, ears[conditioned], seed).items():
                results.setdefault((instrument, name), []).append(judged)
        yield results


def fall_db(samples: Samples, rate: int) -> float:
    """Level of the first half second over that of the last."""
    ends = (samples[: round(ENDS_SECONDS * rate)], samples[-round(ENDS_SECONDS * rate) :])
    first, last = (float(np.sqrt(np.mean(end.astype(np.float64) ** 2))) for end in ends)
    return 20 * float(np.log10((first + FAINTEST) / (last + FAINTEST)))


def figures(seeds: list[list[ScoredContinuation]]) -> Array:
    """Measures and fall of each note, mean over the seeds, shape (notes, measures + 1)."""
    table = [
        [
            [*(getattr(j.scores, m) for m in MEASURES), fall_db(j.continuation, j.clip.rate)]
            for j in judged
        ]
        for judged in seeds
    ]
    return np.asarray(np.mean(np.array(table, dtype=np.float64), axis=0))


def beyond(differences: Array, pitches: Array) -> str:
    """Mean difference of notes, and its standard error over the pitches."""
    known = np.isfinite(differences)
    each = [differences[known & (pitches == p)].mean() for p in np.unique(pitches[known])]
    return f"{differences[known].mean():+.3f} ± {np.std(each, ddof=1) / len(each) ** 0.5:.3f}"


def rows(one: Instrument, results: Results) -> Iterator[str]:
    """Rows of an instrument: a row for each model that was judged."""
    reference = figures(results[one.name, "own"])
    notes = [judged.clip for judged in results[one.name, "own"][0]]
    pitches = np.array([clip.pitch for clip in notes], dtype=np.float64)
    compared = [MEASURES.index(measure) for measure in COMPARED]
    rate, prime = one.signal.rate, one.signal.prime_samples
    true = float(np.median([fall_db(clip.samples[prime:], rate) for clip in notes]))
    for name in (name for name in (*MODELS, "ESPRIT") if (one.name, name) in results):
        found = figures(results[one.name, name])
        away = found - reference
        means = np.nanmean(found[:, : len(MEASURES)], axis=0)
        cells = [
            f"{mean:.{1 if measure.endswith('_db') else 3}f}"
            for measure, mean in zip(MEASURES, means, strict=True)
        ]
        against = ["" if name == "own" else beyond(away[:, m], pitches) for m in compared]
        fall = f"{np.median(found[:, -1]):.1f} / {true:.1f}"
        yield f"| {one.name} | {name} | " + " | ".join([*cells, *against, fall]) + " |"


def table(instruments: Sequence[Instrument], results: Results) -> str:
    """All instruments and models, in Markdown."""
    against = [f"{measure} over own" for measure in COMPARED]
    columns = ["instrument", "model", *MEASURES, *against, "fall_db / true"]
    head = ["| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
    return "\n".join([*head, *(row for one in instruments for row in rows(one, results))])


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", help="piano=data/piano guitar=data/guitar ...")
    others = list(MODELS)[1:]
    parser.add_argument("--models", nargs="*", choices=others, default=others, help="beside own")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--epochs", type=int, default=60)
    given = parser.parse_args()
    pairs = [folder.split("=", 1) for folder in given.folders]
    instruments = [Instrument.read(name, Path(folder)) for name, folder in pairs]
    print(", ".join(f"{len(i.clips)} {i.name} notes" for i in instruments) + "\n", flush=True)
    config = ModalConfig(units=32, dropout=0.2, epochs=given.epochs)
    found = ""
    for results in judge_all(instruments, ["own", *given.models], config, given.seeds):
        found = table(instruments, results)
        print(f"so far:\n{found}\n", file=sys.stderr, flush=True)
    print(found)


if __name__ == "__main__":
    main()
