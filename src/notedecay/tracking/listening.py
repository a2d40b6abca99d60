"""What a run leaves to listen to and to look at, under the same names in every run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from notedecay.analysis import save, triple
from notedecay.audio import write
from notedecay.tracking.runs import ActiveRun
from notedecay.training.panel import Judged, spread

Verdict = Mapping[str, Sequence[Judged]]
"""What was judged of one continuator, by split."""


def log_listening(run: ActiveRun, verdict: Verdict, count: int, prime_samples: int) -> None:
    """Log audio and pictures of a few notes per split, the same notes in every run.

    Parameters
    ----------
    run : ActiveRun
        Gets them as files below ``listen/<split>`` and as images.
    verdict : mapping of str to sequence of Judged
        All notes, by split.
    count : int
        How many notes of each split are kept.
    prime_samples : int
        Length of the prime.
    """
    with tempfile.TemporaryDirectory(prefix="notedecay-") as name:
        folder = Path(name)
        for split, judged in verdict.items():
            ids = {clip.id for clip in spread([item.clip for item in judged], count)}
            few = [item for item in judged if item.clip.id in ids]
            write_listening(few, prime_samples, folder / split)
        run.folder(folder, "listen")
        run.images(folder)


def write_listening(judged: Sequence[Judged], prime_samples: int, folder: Path) -> None:
    """Write audio and a picture per note.

    Parameters
    ----------
    judged : sequence of Judged
        Notes and their continuations.
    prime_samples : int
        Length of the prime.
    folder : Path
        Gets ``<note id>/original.wav``, ``with_prime.wav``, ``without_prime.wav`` and
        ``picture.png`` (spectrograms side by side, decay curves), slashes of the id as dots.
    """
    for item in judged:
        clip = item.clip
        own = folder / clip.id.replace("/", ".")
        own.mkdir(parents=True, exist_ok=True)
        with_prime = np.concatenate([clip.samples[:prime_samples], item.continuation])
        write(own / "original.wav", clip.samples, clip.rate)
        write(own / "with_prime.wav", with_prime, clip.rate)
        write(own / "without_prime.wav", item.continuation, clip.rate)
        figure = triple(
            clip.samples,
            with_prime,
            item.continuation,
            clip.rate,
            prime_samples / clip.rate,
            clip.id,
        )
        save(figure, own / "picture.png")
