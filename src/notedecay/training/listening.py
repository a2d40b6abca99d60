"""Notes and their continuations as audio files and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from notedecay.audio import peak_of, scaling_line, to_full_scale, write
from notedecay.audio.samples import Samples
from notedecay.plots import save, triple
from notedecay.training.evaluator import ScoredContinuation


def write_listening(
    results: Sequence[ScoredContinuation], prime_samples: int, folder: Path
) -> None:
    """Write audio files and a picture of each note.

    Parameters
    ----------
    results : sequence of ScoredContinuation
        Notes and their continuations.
    prime_samples : int
        Length of the prime.
    folder : Path
        Gets ``<note id>/original.wav``, ``with_prime.wav``, ``without_prime.wav`` and
        ``picture.png`` (spectrograms side by side, decay curves), slashes of the id as dots.
        If one of the three exceeds full scale, all are scaled by the same gain, and the picture
        says so. A continuation that is not finite has no audio; the picture shows silence.
    """
    for result in results:
        clip = result.clip
        own = folder / clip.id.replace("/", ".")
        own.mkdir(parents=True, exist_ok=True)
        is_finite = bool(np.isfinite(result.continuation).all())
        continuation = result.continuation if is_finite else np.zeros_like(result.continuation)
        with_prime = np.concatenate([clip.samples[:prime_samples], continuation])
        sounds = {"original": clip.samples}
        if is_finite:
            sounds |= {"with_prime": with_prime, "without_prime": continuation}
        _write_with_one_gain(sounds, clip.rate, own)
        figure = triple(
            clip.samples,
            with_prime,
            continuation,
            clip.rate,
            prime_samples / clip.rate,
            "\n".join([clip.id, *_remarks(sounds, is_finite)]),
        )
        save(figure, own / "picture.png")


def _write_with_one_gain(sounds: Mapping[str, Samples], rate: int, folder: Path) -> None:
    """Write sounds scaled by the same gain, so that they can be compared by ear."""
    for name, samples in zip(sounds, to_full_scale(*sounds.values()), strict=True):
        write(folder / f"{name}.wav", samples, rate)


def _remarks(sounds: Mapping[str, Samples], is_finite: bool) -> list[str]:
    """Lines under the picture's title: missing audio, or the gain."""
    if not is_finite:
        return ["the continuation holds NaN or infinite samples: no audio"]
    peak = peak_of(*sounds.values())
    return [scaling_line(peak, "audio: peak")] if peak > 1 else []
