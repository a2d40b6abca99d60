"""Ensemble of nets that predict how each partial decays, its aftersound, and if it persists."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from notedecay.models.modal.aftersound import MAX_DEPTH_DB, Aftersound, energy_correction_db
from notedecay.models.modal.features import (
    LEVEL_COLUMN,
    LEVEL_SCALE_DB,
    OCTAVE_COLUMN,
    PLAIN_COLUMNS,
    REFERENCE_COLUMNS,
)
from notedecay.models.modal.mixture import MAX_T60, DecayMixture
from notedecay.models.modal.noise_floor import NoiseFloor, silent_floor
from notedecay.models.modal.novelty import (
    Reference,
    decays_from_slopes,
    measure_reference,
    note_features,
    novelty,
    out_of_distribution_weight,
)

MAX_DEVIATIONS = 4.0
"""Features count up to this many standard deviations."""
COMPONENTS = 2
"""Normal components in the density of each decay time."""
PERSISTS = 3 * COMPONENTS
AFTERSOUND_DEPTH, AFTERSOUND_T60 = PERSISTS + 1, PERSISTS + 2
"""Outputs after those of the density."""
DEPTH_OFFSET_DB, DEPTH_SCALE_DB, LOG_T60_OFFSET = 40.0, 20.0, 1.0
"""Aftersound of outputs of 0: depth (dB), dB per unit of output, log T60 over the mean's."""
MIN_STD = 0.08
"""Smallest standard deviation of log T60, 8 %."""
NEIGHBOUR_WIDTHS = (0.1, 0.4, 1.5)
"""Widths of the neighbourhoods over which partials exchange hidden units (octaves)."""
NOISE_FLOOR_BUFFERS = ("floor_level_db", "floor_slopes", "floor_bounds_db")
"""Buffers that hold the noise floor to which notes decay."""
REFERENCE_BUFFERS = ("reference_features", "reference_spacing", "reference_usual")
"""Buffers that hold what a note's novelty is relative to."""
MIN_LEVEL_DB = -60.0
"""Partials further under the note's strongest weigh no less (dB)."""


class Prediction(NamedTuple):
    """What the ensemble predicts of each partial of a note."""

    decays: DecayMixture
    persists: Tensor
    """Probability that the partial is no transient, but sounds on after the prime."""
    aftersound: Aftersound


def partial_weights(features: Tensor, present: Tensor) -> Tensor:
    """Weight the partials of each note by their level.

    Parameters
    ----------
    features : tensor, shape (notes, partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.
    present : tensor, shape (notes, partials)
        1 for a partial, 0 for padding.

    Returns
    -------
    tensor, shape (notes, partials)
        0 to 1.
    """
    level_db = LEVEL_SCALE_DB * features[..., LEVEL_COLUMN]
    return 10 ** (level_db.clamp(MIN_LEVEL_DB, 0) / 40) * present


def neighbour_weights(features: Tensor, present: Tensor) -> Tensor:
    """Weight the other partials of a note by their distance and level, for each partial.

    Parameters
    ----------
    features, present : tensor
        As :func:`partial_weights` takes them.

    Returns
    -------
    tensor, shape (widths, notes, partials, partials)
        Near and loud ones count most; rows sum to 1, or to 0 for a partial without others.
    """
    octaves, weights = features[..., OCTAVE_COLUMN], partial_weights(features, present)
    apart = octaves[..., :, None] - octaves[..., None, :]
    others = weights[..., None, :] * (1 - torch.eye(octaves.shape[-1], device=features.device))
    near = torch.stack(
        [torch.exp(-0.5 * (apart / width) ** 2) * others for width in NEIGHBOUR_WIDTHS]
    )
    return near / near.sum(dim=-1, keepdim=True).clamp(min=1e-9)


class ModalNet(nn.Module):
    """Ensemble of small nets whose densities of the decay time are averaged.

    Each member has two hidden layers. In every second one, a partial's second layer also takes
    the mean first layer of its neighbours: they ring in the same body, and a partial that
    differs from them beats or is a transient. Members with different inputs make different
    errors, so that their average is better calibrated.

    The more novel a note is among the training notes, the more of the density is given to the
    decays that its own prime shows (see :mod:`notedecay.models.modal.novelty`).

    Parameters
    ----------
    features : int
        Features of each partial.
    units : int
        Width of both hidden layers.
    members : int
        Number of nets.
    dropout : float
        Dropout rate of the hidden units.
    neighbours : bool
        Whether every second member takes the neighbours' hidden units.
    beats : bool
        Whether two members of every four, the last ones, take the beat features.
    """

    feature_mask: Tensor
    """1 for the features that a member takes, else 0, shape (members, 1, 1, features)."""
    mean: Tensor
    std: Tensor
    log_t60: Tensor
    reference_features: Tensor
    """Mean features of the training notes, shape (notes, REFERENCE_COLUMNS)."""
    reference_spacing: Tensor
    reference_usual: Tensor
    """Parts of a :class:`notedecay.models.modal.novelty.Reference`."""
    floor_level_db: Tensor
    floor_slopes: Tensor
    floor_bounds_db: Tensor
    """Parts of a :class:`notedecay.models.modal.noise_floor.NoiseFloor`."""

    def __init__(
        self,
        features: int,
        units: int,
        members: int,
        dropout: float,
        *,
        neighbours: bool,
        beats: bool,
    ) -> None:
        super().__init__()
        second = units * (1 + len(NEIGHBOUR_WIDTHS)) if neighbours else units
        pairs = [(features, units), (second, units), (units, AFTERSOUND_T60 + 1)]
        self.weights = nn.ParameterList(torch.zeros(members, i, o) for i, o in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, o) for _, o in pairs)
        self.dropout, self.neighbours = dropout, neighbours
        mask = torch.ones(members, 1, 1, features)
        mask[[k for k in range(members) if not (beats and k % 4 > 1)], ..., PLAIN_COLUMNS:] = 0.0
        self.register_buffer("feature_mask", mask, persistent=False)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("log_t60", torch.zeros(()))
        nothing = measure_reference(torch.zeros(0, REFERENCE_COLUMNS))
        for buffer, tensor in zip(REFERENCE_BUFFERS, nothing, strict=True):
            self.register_buffer(buffer, tensor)
        for buffer, silence in zip(NOISE_FLOOR_BUFFERS, silent_floor(), strict=True):
            self.register_buffer(buffer, torch.from_numpy(silence).float())

    def init_weights(self, generator: torch.Generator) -> None:
        """Initialise the weights; the last layer starts small, near the mean of all partials."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            std = weight.shape[1] ** -0.5 * (0.1 if weight is self.weights[-1] else 1.0)
            nn.init.normal_(weight, std=std, generator=generator)
            nn.init.zeros_(bias)
        means = torch.linspace(-0.5, 0.5, COMPONENTS)
        with torch.no_grad():
            self.biases[-1][..., COMPONENTS : 2 * COMPONENTS] = means

    @property
    def noise_floor(self) -> NoiseFloor:
        """Noise floor to which notes decay."""
        buffers = (getattr(self, buffer) for buffer in NOISE_FLOOR_BUFFERS)
        return NoiseFloor(*(buffer.cpu().double().numpy() for buffer in buffers))

    @noise_floor.setter
    def noise_floor(self, floor: NoiseFloor) -> None:
        for buffer, fitted in zip(NOISE_FLOOR_BUFFERS, floor, strict=True):
            getattr(self, buffer).copy_(torch.from_numpy(fitted))

    @property
    def reference(self) -> Reference:
        """Training notes that a note's novelty is relative to."""
        return Reference(*(getattr(self, buffer) for buffer in REFERENCE_BUFFERS))

    @reference.setter
    def reference(self, reference: Reference) -> None:
        for buffer, tensor in zip(REFERENCE_BUFFERS, reference, strict=True):
            setattr(self, buffer, tensor)

    def set_reference(self, features: Tensor, present: Tensor) -> None:
        """Keep the training notes' features as reference; ``mean`` and ``std`` must be set.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        present : tensor, shape (notes, partials)
        """
        self.reference = measure_reference(self._note_features(features, present))

    def novelty(self, features: Tensor, present: Tensor) -> Tensor:
        """Measure the novelty of notes, shape (notes,); 1 is rare among the training notes.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        present : tensor, shape (notes, partials)
        """
        return novelty(self._note_features(features, present), self.reference)

    def outputs(
        self, features: Tensor, neighbours: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Compute the outputs of each member for the partials of notes.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        neighbours : tensor, shape (widths, notes, partials, partials)
            From :func:`neighbour_weights`.
        generator : torch.Generator, optional
            Random numbers (CPU) for dropout, in training.

        Returns
        -------
        tensor, shape (members, notes, partials, outputs)
        """
        hidden = self._hidden(self.feature_mask * self._normalised(features), 0, generator)
        if self.neighbours:
            takes_them = torch.arange(1, 1 + len(hidden), device=hidden.device) % 2
            takes_them = takes_them[:, None, None, None]
            hidden = torch.cat([hidden, *(takes_them * (w @ hidden) for w in neighbours)], dim=-1)
        return self._layer(self._hidden(hidden, 1, generator), 2)

    def _note_features(self, features: Tensor, present: Tensor) -> Tensor:
        compared = self._normalised(features)[..., :REFERENCE_COLUMNS]
        return note_features(compared, partial_weights(features, present))

    def _normalised(self, features: Tensor) -> Tensor:
        """Scale features to their standard deviations over the training notes."""
        return ((features - self.mean) / self.std).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def _layer(self, values: Tensor, k: int) -> Tensor:
        """Apply dense layer ``k`` of each member."""
        rows = torch.baddbmm(self.biases[k], values.flatten(1, 2), self.weights[k])
        return rows.reshape(*values.shape[:3], rows.shape[-1])

    def _hidden(self, values: Tensor, k: int, generator: torch.Generator | None) -> Tensor:
        """Apply hidden layer ``k``, with dropout if a generator is given."""
        hidden = nn.functional.silu(self._layer(values, k))
        if generator is None or not self.dropout:
            return hidden
        kept = torch.rand(hidden.shape, generator=generator) >= self.dropout
        return hidden * kept.to(hidden.device) / (1 - self.dropout)

    def decays(self, outputs: Tensor) -> DecayMixture:
        """Convert outputs, shape (..., outputs), to densities of decay times."""
        weight, mean, std = torch.chunk(outputs[..., :PERSISTS], 3, dim=-1)
        std = MIN_STD + nn.functional.softplus(std - 0.5)
        return DecayMixture(torch.log_softmax(weight, dim=-1), self.log_t60 + mean, std)

    def aftersound(self, outputs: Tensor) -> Aftersound:
        """Convert outputs, shape (..., outputs), to aftersounds."""
        depth_db = DEPTH_OFFSET_DB + DEPTH_SCALE_DB * outputs[..., AFTERSOUND_DEPTH]
        log_t60 = self.log_t60 + LOG_T60_OFFSET + outputs[..., AFTERSOUND_T60]
        return Aftersound(depth_db, log_t60)

    def forward(self, features: Tensor) -> Prediction:
        """Average the members' predictions for the partials of one note.

        Parameters
        ----------
        features : tensor, shape (partials, features)

        Returns
        -------
        Prediction
        """
        note = features[None]
        present = torch.ones(note.shape[:2], device=note.device)
        outputs = self.outputs(note, neighbour_weights(note, present))[:, 0]
        learned = self.decays(outputs).averaged()
        share = out_of_distribution_weight(self.novelty(note, present))
        decays = learned.mixed_with(decays_from_slopes(features), share.expand(len(features)))
        median = Aftersound(*(each.mean(dim=0) for each in self.aftersound(outputs)))
        # The out-of-distribution weight is taken from the aftersound's amplitude.
        attenuation_db = -20 * torch.log10((1 - share).clamp(min=1e-5))
        correction_db = energy_correction_db(LEVEL_SCALE_DB * features[:, LEVEL_COLUMN], median)
        depth_db = (median.depth_db - correction_db + attenuation_db).clamp(max=MAX_DEPTH_DB)
        aftersound = Aftersound(depth_db, median.log_t60.clamp(max=math.log(MAX_T60)))
        return Prediction(decays, torch.sigmoid(outputs[..., PERSISTS]).mean(dim=0), aftersound)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Resize the reference to as many notes as the saved one has.

        What an older file does not hold of it is measured.
        """
        names = [f"{prefix}{buffer}" for buffer in REFERENCE_BUFFERS]
        if (features := state.get(names[0])) is not None and features.dim() == 2:
            if not any(name in state for name in names[1:]):
                state |= dict(zip(names, measure_reference(features), strict=True))
            old, notes = self.reference, len(features)
            self.reference = Reference(
                old.features.new_zeros(notes, REFERENCE_COLUMNS),
                old.spacing.new_zeros(notes),
                old.usual,
            )
        super()._load_from_state_dict(state, prefix, *rest)
