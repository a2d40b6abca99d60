"""The authors' published audio: triples of original, generated, and generated without its prime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from notedecay.audio import SUFFIXES, cleaned, read
from notedecay.audio.samples import Samples
from notedecay.core.errors import UserError
from notedecay.metrics import Reference, Scores

RATES = {"cello": 11025, "guitar": 2940, "piano": 8820}
"""Sample rates after the authors' decimation of 44.1 kHz (Hz)."""
CORNERS = {"cello": 40.0, "guitar": 50.0, "piano": 25.0}
"""Corners of the high-pass filters that remove the rumble in their audio (Hz)."""

SHOWN = (
    "score",
    "decay_ok",
    "missing",
    "pitch_cents",
    "excess_noise_db",
    "lsd_db",
    "envelope_db",
    "tail_db",
    "join_snr_db",
)


@dataclass(frozen=True)
class Published:
    """One published continuation and its scores.

    Attributes
    ----------
    number : int
        Of the experiment, 1..9.
    experiment : str
        Name of its folder, which lists all settings; the length of the prime in it may be wrong.
    instrument, note : str
        Such as ``guitar``; the note's file name without its ending.
    seen : bool
        Whether the note was in the training set.
    prime_seconds : float
        Length of the generated signal minus that of the generated part alone (s).
    rate : int
        The authors' own rate, to which the files of 44.1 kHz are resampled (Hz).
    original, generated, alone : ndarray of float32, shape (samples,)
        The note, the continuation after its prime, and without it.
    scores : Scores
        Of the generated part against the original's.
    """

    number: int
    experiment: str
    instrument: str
    note: str
    seen: bool
    prime_seconds: float
    rate: int
    original: Samples
    generated: Samples
    alone: Samples
    scores: Scores


def read_published(folder: Path, *, without_rumble: bool = True) -> list[Published]:
    """Read and score every triple below a folder.

    Parameters
    ----------
    folder : Path
        Holds a folder per experiment, such as ``4-guitar_train_45files_...``, in which a note
        is ``X.flac``, ``X_gen.flac`` and ``X_gen_wp.flac`` (or another ending).
    without_rumble : bool
        High-pass all three (guitar 50 Hz, cello 40, piano 25). The authors did not: their level
        over time is unchanged only if this is False.

    Returns
    -------
    list of Published
        By experiment and note.

    Raises
    ------
    UserError
        No such folder, no triple in it, one file of a triple missing or unreadable, an
        experiment whose name lacks its number or instrument, or signals whose lengths leave
        nothing to score.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the one that holds the experiments")
    files = sorted(file for file in folder.glob("*/*_gen.*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(
            f"{folder} holds no published continuation: expected <experiment>/<note>_gen.flac"
        )
    return [_read_triple(file, without_rumble) for file in files]


def table_rows(published: Sequence[Published]) -> list[dict[str, object]]:
    """Rows of the table of the published continuations' scores.

    Parameters
    ----------
    published : sequence of Published
        From :func:`read_published`.

    Returns
    -------
    list of dict of str to object
        One per continuation: ``experiment``, ``instrument``, ``note``, ``seen``,
        ``prime_ms`` and the measures; NaN where nothing could be measured.
    """
    return [
        {
            "experiment": one.number,
            "instrument": one.instrument,
            "note": one.note,
            "seen": one.seen,
            "prime_ms": round(1000 * one.prime_seconds),
        }
        | {measure: getattr(one.scores, measure) for measure in SHOWN}
        for one in published
    ]


def _read_triple(file: Path, without_rumble: bool) -> Published:
    """Read and score a triple, given its middle file."""
    experiment, note = file.parent.name, file.stem.removesuffix("_gen")
    number, instrument = _named(file.parent)
    rate, corner = RATES[instrument], CORNERS[instrument] if without_rumble else 0.0
    names = (f"{note}{file.suffix}", file.name, f"{file.stem}_wp{file.suffix}")
    for name in names:
        if not file.with_name(name).exists():
            raise UserError(f"{file.parent}: {name} is missing in the triple of {note}")
    original, generated, alone = (
        cleaned(read(file.with_name(name)), rate=rate, highpass_hz=corner) for name in names
    )
    # The prime's length is the difference of two files: one folder's name gives a longer one.
    prime = len(generated) - len(alone)
    end = min(len(original), len(generated))
    if not 0 < prime < end:
        raise UserError(f"{file} and its neighbours are no triple: their lengths leave no prime")
    reference = Reference(original[prime:end], rate, float(np.abs(original).max()))
    return Published(
        number=number,
        experiment=experiment,
        instrument=instrument,
        note=note,
        seen="filesNotInTrainSet" not in experiment,
        prime_seconds=prime / rate,
        rate=rate,
        original=original,
        generated=generated,
        alone=alone,
        scores=reference.score(generated[prime:end]),
    )


def _named(folder: Path) -> tuple[int, str]:
    """Number and instrument of an experiment."""
    match = re.match(r"(\d+)-([a-z]+)_", folder.name)
    if match is None or match[2] not in RATES:
        raise UserError(
            f"{folder} is no experiment of the paper: expected a name such as "
            "4-guitar_train_45files_... (cello, guitar or piano)"
        )
    return int(match[1]), match[2]
