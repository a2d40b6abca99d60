"""What a listener hears of a sound that a net made, as losses: level, spectrum and decay.

Unlike the error of the waveform they forgive a phase that drifts. All are in units of 10 dB,
and what lies under the floor counts as being at it, so that silence is no infinity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FLOOR = 1e-5
"""Energy (-50 dB) that is added to each, at the level at which the net hears."""

SPECTRUM_WINDOWS = (0.03, 0.06, 0.12)
"""Of the spectra that are compared (s)."""

BAND_WINDOW = 0.06
"""Of the spectra whose bands are followed through time (s)."""

BAND_BINS = 4
"""Width of a band, that of a Hann window's main lobe."""


def level_loss(made: Tensor, true: Tensor, known: Tensor) -> Tensor:
    """Compare the levels block by block.

    Parameters
    ----------
    made, true : tensor, shape (notes, blocks, size)
        The stretch that was made, and the notes' own.
    known : tensor, shape (notes, blocks, 1)
        1 for a block of the note, 0 for padding.

    Returns
    -------
    tensor, shape ()
        Mean square, 1 where each block is 10 dB off.
    """
    levels = [torch.log10(x.square().mean(dim=2, keepdim=True) + FLOOR) for x in (made, true)]
    return _mean((levels[0] - levels[1]).square(), known)


def spectrum_loss(made: Tensor, true: Tensor, known: Tensor, rate: int) -> Tensor:
    """Compare the magnitudes of spectra of several lengths.

    Parameters
    ----------
    made, true, known : tensor
        As for :func:`level_loss`.
    rate : int
        Hz.

    Returns
    -------
    tensor, shape ()
        Mean absolute difference, 1 where all is 10 dB off.

    References
    ----------
    J. Engel et al., "DDSP: differentiable digital signal processing", 2020 (the log-magnitude
    half of its multi-scale spectral loss).
    """
    losses = []
    for seconds in SPECTRUM_WINDOWS:
        powers = [_powers(x, seconds, rate) for x in (made, true)]
        logs = [torch.log10(power + FLOOR) for power in powers]
        losses.append(_mean((logs[0] - logs[1]).abs(), _whole(known, made, seconds, rate)))
    return torch.stack(losses).mean()


def decay_loss(made: Tensor, true: Tensor, known: Tensor, rate: int) -> Tensor:
    """Compare how fast each band of frequencies falls: the slopes of lines through its levels.

    Only while the note is above the floor in that band.

    Parameters
    ----------
    made, true, known : tensor
        As for :func:`level_loss`.
    rate : int
        Hz.

    Returns
    -------
    tensor, shape ()
        Mean square over the bands, 1 where each falls 10 dB more or less over the stretch;
        0 for a stretch of a single spectrum.
    """
    made_bands, true_bands = (
        nn.functional.avg_pool1d(_powers(x, BAND_WINDOW, rate), BAND_BINS) for x in (made, true)
    )
    apart = torch.log10(made_bands + FLOOR) - torch.log10(true_bands + FLOOR)
    weight = _whole(known, made, BAND_WINDOW, rate) * (true_bands > FLOOR)
    time = torch.arange(apart.shape[1], device=apart.device).view(1, -1, 1)
    frames = weight.sum(dim=1, keepdim=True)
    time = (time - (time * weight).sum(dim=1, keepdim=True) / frames.clamp(min=1)) * weight
    spread = time.square().sum(dim=1, keepdim=True).clamp(min=FLOOR)
    slope = (time * apart).sum(dim=1, keepdim=True) / spread
    fall = slope * (frames - 1)
    return _mean(fall.square(), frames)


def _length(blocks: Tensor, seconds: float, rate: int) -> int:
    """Samples of a window, no longer than the stretch."""
    return min(round(seconds * rate), blocks.shape[1] * blocks.shape[2])


def _powers(blocks: Tensor, seconds: float, rate: int) -> Tensor:
    """Short-time power spectra, shape (notes, frames, bins); a sine of amplitude 1 has 1."""
    length = _length(blocks, seconds, rate)
    window = torch.hann_window(length, device=blocks.device)
    frames = blocks.flatten(1).unfold(1, length, length // 2)
    spectra = torch.view_as_real(torch.fft.rfft(frames * (2.0 * window / window.sum())))
    return spectra.square().sum(dim=3)


def _whole(known: Tensor, blocks: Tensor, seconds: float, rate: int) -> Tensor:
    """1 for a frame of :func:`_powers` that holds no padding, shape (notes, frames, 1)."""
    length = _length(blocks, seconds, rate)
    samples = known.expand(blocks.shape).flatten(1)
    return samples.unfold(1, length, length // 2).amin(dim=2, keepdim=True)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean; 0 where no weight is."""
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp(min=1)
