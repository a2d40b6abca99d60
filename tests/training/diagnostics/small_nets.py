"""Small models and notes to diagnose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.models import LearnedContinuator, Signal, create
from notedecay.training import fit
from notedecay.training.diagnostics.probe import Diagnosis
from notedecay.training.diagnostics.snapshots import SLICES, LayerStatistics, Likeness, Snapshot
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)


def note(pitch: int, seconds: float = 1.2) -> Clip:
    f0 = hz(pitch)
    sound = damped([f0, 2 * f0], [1.0, 0.6], [1, 0.4], seconds=seconds, rate=RATE, seed=pitch)
    return Clip(f"bells/{pitch}", pitch, sound, RATE)


CLIPS = [note(pitch, 1.2 - 0.02 * (pitch % 5)) for pitch in range(50, 66, 2)]


def make(name: str = "lstm", **config: Any) -> LearnedContinuator[Any]:
    settings = {"units": 32, "resolution": 40, "epochs": 4, "batch": 2, "transpose": 0}
    model = create(name, SIGNAL, settings | {"learning_rate": 5e-3} | config)
    assert isinstance(model, LearnedContinuator)
    return model


def train(model: LearnedContinuator[Any], **options: Any) -> None:
    fit(model, CLIPS, seed=0, device="cpu", **options)


def diagnosed(name: str, every: int = 2, **config: Any) -> Diagnosis:
    model = make(name, **config)
    diagnosis = Diagnosis(model, CLIPS, every=every)
    train(model, report=diagnosis)
    return diagnosis


NETS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("lstm", {"input_noise": 0.1}),
    "deep": ("lstm", {"layers": 2, "activation": "relu"}),
    "gates": ("lstm", {"gates": "hard_sigmoid"}),
    "gru": ("gru", {"activation": "tanh", "level": "global"}),
    "cnn": ("cnn_lstm", {"convolutions": 2, "filters": 8, "length": 5, "batch_norm": True}),
}


class Stub(LearnedContinuator[Any]):
    """A model around any net; its loss is the sum of the outputs, for any notes."""

    name = "stub"

    def __init__(self, net: nn.Module, batch: int = 2) -> None:
        super().__init__(SIGNAL, make(batch=batch).config)
        self.net = net

    def prepare(self, clips: Sequence[Clip], generator: torch.Generator) -> tuple[Tensor, ...]:  # noqa: ARG002
        return self.examples(clips)

    def examples(self, clips: Sequence[Clip]) -> tuple[Tensor, ...]:
        return (torch.ones(len(clips), SLICES, 1),)

    def loss(self, examples: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:  # noqa: ARG002
        return self.net(examples[0]).sum()  # type: ignore[no-any-return]

    def continue_primes(self, primes: Any, samples: Sequence[int]) -> Any:  # noqa: ARG002
        return [np.zeros(n, np.float32) for n in samples]


FINE = Likeness(made=0.3, true=0.2, pitches=8)


def snapshot(steps: int = 1000, **layers: LayerStatistics) -> Snapshot:
    return Snapshot(epoch=9, steps=steps, layers=layers, reach={}, likeness=FINE)
