"""Notes and their continuations as files to listen to and to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from notedecay.analysis import save, triple
from notedecay.audio import write
from notedecay.training.panel import Judged


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
