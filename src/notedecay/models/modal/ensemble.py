"""Nets that tell from a partial's features how it may die away, to what, and whether it lasts."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from notedecay.models.modal.aftersound import BOTTOMLESS_DB, Aftersound, louder_db
from notedecay.models.modal.features import LEVEL, LEVEL_DB, OCTAVE, PLAIN, TELLING
from notedecay.models.modal.mixture import LONGEST, Decays
from notedecay.models.modal.noise_floor import Floor, no_floor
from notedecay.models.modal.novelty import doubt, own_decays, portraits, strangeness

FURTHEST = 4.0
"""Features count up to this many standard deviations."""
NORMALS = 2
"""In the density of each decay time: a quick and a slow guess."""
LASTS = 3 * NORMALS
DEPTH, AFTER = LASTS + 1, LASTS + 2
"""Outputs behind those of the density."""
USUAL_DEPTH_DB, DEPTH_DB, USUAL_LONGER = 40.0, 20.0, 1.0
"""Aftersound of outputs of 0, how much weaker 1 more is (dB), and log T60 over the mean."""
NARROWEST = 0.08
"""Smallest standard deviation of log T60, 8 %."""
WIDTHS = (0.1, 0.4, 1.5)
"""Widths of the neighbourhoods over which partials tell each other what they show (octaves)."""
FLOOR = ("floor_db", "floor_lean", "floor_bounds_db")
"""Buffers that hold the noise into which notes die away."""
FAINTEST_DB = -60.0
"""A partial fainter than this under the note's strongest tells its neighbours as little."""


class Told(NamedTuple):
    """What the nets say of partials."""

    decays: Decays
    lasts: Tensor
    """Chance that it sounds on after the prime, as what belongs to the attack alone does not."""
    after: Aftersound


def loudness(features: Tensor, present: Tensor) -> Tensor:
    """By how much each partial counts among those of its note.

    Parameters
    ----------
    features : tensor, shape (notes, partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.
    present : tensor, shape (notes, partials)
        0 for what only fills up a note, 1 for a partial.

    Returns
    -------
    tensor, shape (notes, partials)
        Up to 1.
    """
    level_db = LEVEL_DB * features[..., LEVEL]
    return 10 ** (level_db.clamp(FAINTEST_DB, 0) / 40) * present


def neighbourhoods(features: Tensor, present: Tensor) -> Tensor:
    """By how much each partial listens to the others of its note.

    Parameters
    ----------
    features : tensor, shape (notes, partials, features)
        From :func:`notedecay.models.modal.features.partial_features`.
    present : tensor, shape (notes, partials)
        0 for what only fills up a note, 1 for a partial.

    Returns
    -------
    tensor, shape (widths, notes, partials, partials)
        Near and loud ones count most; rows sum to 1, or to 0 for a partial that is alone.
    """
    octaves, loud = features[..., OCTAVE], loudness(features, present)
    apart = octaves[..., :, None] - octaves[..., None, :]
    others = loud[..., None, :] * (1 - torch.eye(octaves.shape[-1], device=features.device))
    near = torch.stack([torch.exp(-0.5 * (apart / width) ** 2) * others for width in WIDTHS])
    return near / near.sum(dim=-1, keepdim=True).clamp(min=1e-9)


class ModalNet(nn.Module):
    """Several small nets side by side; their densities of the decay time are averaged.

    Between the two hidden layers of every second net each partial also hears what the partials
    about it show: neighbours ring in the same body, and one that stands out from them beats or
    is no partial. Nets that differ err differently: together they are as right as if all heard
    neighbours, and know better how sure to be.

    Nets are as sure of what they never heard. The less a note is like those learned from, the
    more of the density is taken from them, and given to decays as the prime itself shows them.

    Parameters
    ----------
    features : int
        For each partial.
    units : int
        Width of both hidden layers.
    members : int
        How many nets.
    dropout : float
        Share of the hidden units left out while training.
    neighbours : bool
        Whether partials hear each other, in every second net.
    beats : bool
        Whether two nets of every four, the last ones, hear how few modes that beat would go on.
    """

    hears: Tensor
    """1 for the features that a net hears, else 0, shape (members, 1, 1, features)."""
    mean: Tensor
    std: Tensor
    log_t60: Tensor
    notes: Tensor
    """Portraits of the notes learned from, shape (notes, TELLING)."""
    floor_db: Tensor
    floor_lean: Tensor
    floor_bounds_db: Tensor
    """Noise into which notes die away: a :class:`notedecay.models.modal.noise_floor.Floor`."""

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
        told = units * (1 + len(WIDTHS)) if neighbours else units
        pairs = [(features, units), (told, units), (units, AFTER + 1)]
        self.weights = nn.ParameterList(torch.zeros(members, i, o) for i, o in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, o) for _, o in pairs)
        self.dropout, self.neighbours = dropout, neighbours
        hears = torch.ones(members, 1, 1, features)
        hears[[k for k in range(members) if not (beats and k % 4 > 1)], ..., PLAIN:] = 0.0
        self.register_buffer("hears", hears, persistent=False)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("log_t60", torch.zeros(()))
        self.register_buffer("notes", torch.zeros(0, TELLING))
        for buffer, silence in zip(FLOOR, no_floor(), strict=True):
            self.register_buffer(buffer, torch.from_numpy(silence).float())

    def draw(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer starts small, beside the mean of all partials."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            spread = weight.shape[1] ** -0.5 * (0.1 if weight is self.weights[-1] else 1.0)
            nn.init.normal_(weight, std=spread, generator=generator)
            nn.init.zeros_(bias)
        guesses = torch.linspace(-0.5, 0.5, NORMALS)
        with torch.no_grad():
            self.biases[-1][..., NORMALS : 2 * NORMALS] = guesses

    @property
    def floor(self) -> Floor:
        """Noise into which notes die away."""
        return Floor(*(getattr(self, buffer).cpu().double().numpy() for buffer in FLOOR))

    @floor.setter
    def floor(self, floor: Floor) -> None:
        for buffer, learned in zip(FLOOR, floor, strict=True):
            getattr(self, buffer).copy_(torch.from_numpy(learned))

    def remember(self, features: Tensor, present: Tensor) -> None:
        """Keep what the notes learned from are like; mean and spread must be known.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        present : tensor, shape (notes, partials)
        """
        self.notes = self._portraits(features, present)

    def strangeness(self, features: Tensor, present: Tensor) -> Tensor:
        """How unlike the notes learned from others are, shape (notes,); 1 is rare among them.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        present : tensor, shape (notes, partials)
        """
        return strangeness(self._portraits(features, present), self.notes)

    def said(
        self, features: Tensor, near: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """What each member says of the partials of notes.

        Parameters
        ----------
        features : tensor, shape (notes, partials, features)
        near : tensor, shape (widths, notes, partials, partials)
            From :func:`neighbourhoods`.
        generator : torch.Generator, optional
            Chance (CPU) by which hidden units are left out: for training.

        Returns
        -------
        tensor, shape (members, notes, partials, outputs)
        """
        hidden = self._hidden(self.hears * self._heard(features), 0, generator)
        if self.neighbours:
            listening = torch.arange(1, 1 + len(hidden), device=hidden.device) % 2
            listening = listening[:, None, None, None]
            hidden = torch.cat([hidden, *(listening * (w @ hidden) for w in near)], dim=-1)
        return self._layer(self._hidden(hidden, 1, generator), 2)

    def _portraits(self, features: Tensor, present: Tensor) -> Tensor:
        return portraits(self._heard(features)[..., :TELLING], loudness(features, present))

    def _heard(self, features: Tensor) -> Tensor:
        """Features, in their standard deviations."""
        return ((features - self.mean) / self.std).clamp(-FURTHEST, FURTHEST)

    def _layer(self, values: Tensor, k: int) -> Tensor:
        rows = torch.baddbmm(self.biases[k], values.flatten(1, 2), self.weights[k])
        return rows.reshape(*values.shape[:3], rows.shape[-1])

    def _hidden(self, values: Tensor, k: int, generator: torch.Generator | None) -> Tensor:
        """A hidden layer; units are left out by chance while training."""
        hidden = nn.functional.silu(self._layer(values, k))
        if generator is None or not self.dropout:
            return hidden
        kept = torch.rand(hidden.shape, generator=generator) >= self.dropout
        return hidden * kept.to(hidden.device) / (1 - self.dropout)

    def decays(self, said: Tensor) -> Decays:
        """Turn what is said, shape (..., outputs), into densities of decay times."""
        share, longer, spread = torch.chunk(said[..., :LASTS], 3, dim=-1)
        wide = NARROWEST + nn.functional.softplus(spread - 0.5)
        return Decays(torch.log_softmax(share, dim=-1), self.log_t60 + longer, wide)

    def aftersound(self, said: Tensor) -> Aftersound:
        """Turn what is said, shape (..., outputs), into what partials fall to."""
        depth_db = USUAL_DEPTH_DB + DEPTH_DB * said[..., DEPTH]
        return Aftersound(depth_db, self.log_t60 + USUAL_LONGER + said[..., AFTER])

    def forward(self, features: Tensor) -> Told:
        """Pool what all members say of the partials of one note.

        Parameters
        ----------
        features : tensor, shape (partials, features)

        Returns
        -------
        Told
            For each partial.
        """
        note = features[None]
        present = torch.ones(note.shape[:2], device=note.device)
        said = self.said(note, neighbourhoods(note, present))[:, 0]
        learned = self.decays(said).pooled()
        share = doubt(self.strangeness(note, present))
        decays = learned.doubted(own_decays(features), share.expand(len(features)))
        middle = Aftersound(*(each.mean(dim=0) for each in self.aftersound(said)))
        # What is doubted of an aftersound is taken from its amplitude.
        doubted_db = -20 * torch.log10((1 - share).clamp(min=1e-5))
        louder = louder_db(LEVEL_DB * features[:, LEVEL], middle)
        depth_db = (middle.depth_db - louder + doubted_db).clamp(max=BOTTOMLESS_DB)
        after = Aftersound(depth_db, middle.log_t60.clamp(max=math.log(LONGEST)))
        return Told(decays, torch.sigmoid(said[..., LASTS]).mean(dim=0), after)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for as many notes as were learned."""
        if (notes := state.get(f"{prefix}notes")) is not None:
            self.notes = self.notes.new_zeros(len(notes), self.notes.shape[1])
        super()._load_from_state_dict(state, prefix, *rest)
