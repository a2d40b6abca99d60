"""A diagnosis: it changes nothing, its numbers are right, and it says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.models import MODELS, LearnedContinuator, Signal, create
from notedecay.models.recurrent.model import Blockwise
from notedecay.training import fit
from notedecay.training.diagnostics import snapshots as files
from notedecay.training.diagnostics.layers import look_at_layers
from notedecay.training.diagnostics.pictures import heat_maps
from notedecay.training.diagnostics.probe import Diagnosis, diagnose, hear
from notedecay.training.diagnostics.snapshots import SLICES, LayerLook, Likeness, Look
from notedecay.training.diagnostics.warnings import deaf, symptoms
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
    continuator = create(name, SIGNAL, settings | {"learning_rate": 5e-3} | config)
    assert isinstance(continuator, LearnedContinuator)
    return continuator


def train(continuator: LearnedContinuator[Any], **options: Any) -> None:
    fit(continuator, CLIPS, seed=0, device="cpu", **options)


def diagnosed(name: str, every: int = 2, **config: Any) -> Diagnosis:
    continuator = make(name, **config)
    diagnosis = Diagnosis(continuator, CLIPS, every=every)
    train(continuator, report=diagnosis)
    return diagnosis


NETS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("lstm", {"input_noise": 0.1}),
    "deep": ("lstm", {"layers": 2, "activation": "relu"}),
    "gates": ("lstm", {"gates": "hard_sigmoid"}),
    "gru": ("gru", {"activation": "tanh", "level": "global"}),
    "cnn": ("cnn_lstm", {"convolutions": 2, "filters": 8, "length": 5, "batch_norm": True}),
}


@pytest.fixture(params=NETS)
def net(request) -> tuple[str, dict[str, Any]]:
    return NETS[request.param]


# --- it changes nothing ----------------------------------------------------------------------


def test_training_is_the_same_bit_for_bit(net):
    name, config = net
    seen, unseen = make(name, **config), make(name, **config)
    train(seen, report=Diagnosis(seen, CLIPS))
    train(unseen)
    expected = unseen.state()
    assert all(torch.equal(value, expected[key]) for key, value in seen.state().items())


def test_a_look_leaves_everything_as_it_was(net):
    name, config = net
    continuator = make(name, **config)
    train(continuator)
    continuator.net.train()
    modules = list(continuator.net.modules())
    before, chance = continuator.state(), torch.get_rng_state()
    gradients = [None if p.grad is None else p.grad.clone() for p in continuator.net.parameters()]
    first, second = diagnose(continuator, CLIPS), diagnose(continuator, CLIPS)
    assert first == second
    assert all(torch.equal(value, before[key]) for key, value in continuator.state().items())
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(module.training and not module._forward_hooks for module in modules)
    for parameter, gradient in zip(continuator.net.parameters(), gradients, strict=True):
        assert gradient is not None
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, gradient)


# --- the numbers are right -------------------------------------------------------------------


def by_hand(continuator: LearnedContinuator[Any], clips: Sequence[Clip]) -> dict[str, Tensor]:
    """Gradients of the loss of these notes by each parameter."""
    continuator.net.train()
    loss = continuator.loss(continuator.examples(clips), torch.Generator().manual_seed(0))
    named = dict(continuator.net.named_parameters())
    return dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))


def test_gradients_and_weights_are_those_of_each_layer():
    continuator = make(layers=2)
    train(continuator)
    look = diagnose(continuator, CLIPS)
    state, gradients = continuator.state(), by_hand(continuator, CLIPS)
    assert list(look.layers) == ["inward", "lstm.l0", "lstm.l1", "outward"]
    for name, layer in look.layers.items():
        start, _, end = name.partition(".")
        own = [key for key in gradients if key.startswith(start) and key.endswith(end)]
        assert layer.gradient == pytest.approx(
            math.sqrt(sum(float(gradients[key].square().sum()) for key in own)), rel=1e-4
        )
        weights = torch.cat([state[key].flatten() for key in own]).numpy()
        assert layer.weight_mean == pytest.approx(weights.mean(), abs=1e-6)
        assert layer.weight_std == pytest.approx(weights.std(), rel=1e-4)
        assert layer.weight_norm == pytest.approx(np.linalg.norm(weights), rel=1e-4)


class Chain(nn.Module):
    """Two dense layers and a recurrent one whose truth is known."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.relu = nn.ReLU()
        self.core = nn.RNN(4, 1, nonlinearity="relu", batch_first=True)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        self.first.weight.data[:, 0] = torch.tensor([1.0, 2.0, -1.0, 0.0])
        self.core.weight_ih_l0.data[0, :] = 1.0
        self.core.weight_hh_l0.data[:] = 0.5

    def forward(self, x: Tensor) -> Tensor:
        return self.core(self.relu(self.first(x)))[0]  # type: ignore[no-any-return]


class Stub(LearnedContinuator[Any]):
    """A continuator around any net; its loss is the sum of the outputs, whatever is heard."""

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


def look_at(net: nn.Module, x: Tensor) -> tuple[dict[str, LayerLook], dict[str, list[float]]]:
    return look_at_layers(Stub(net), (x,), torch.Generator())


def test_dead_units_are_counted():
    x = torch.linspace(0.1, 1.0, 3 * SLICES).reshape(3, SLICES, 1)
    layers, _ = look_at(Chain(), x)
    assert layers["first"].dead == 0.25  # the unit without a weight
    assert layers["relu"].dead == 0.5  # and the one that is always negative
    assert layers["relu"].gradient is None
    assert layers["first"].activation_mean == pytest.approx(0.5 * float(x.mean()), rel=1e-5)
    assert symptoms(Look(epoch=1, steps=1, layers=layers, reach={}, likeness=FINE)) == []


def test_the_gradient_of_each_time_slice_is_the_sum_of_what_follows():
    layers, reach = look_at(Chain(), torch.ones(2, SLICES, 1))
    # of outputs h_t = in_t + h_(t-1) / 2, summed: 1 + 1/2 + 1/4 + ... at each input
    left = np.arange(SLICES, 0, -1)
    following = 2 * (1 - 0.5**left)
    units, notes = 2, 2  # the relu lets two of four units through
    assert layers["core"].over_time == pytest.approx([math.sqrt(notes)] * SLICES)
    assert layers["first"].over_time == pytest.approx(following * math.sqrt(units * notes))
    # the last block's output alone: halved with each block that lies between
    assert reach["core"] == pytest.approx(0.5 ** (left - 1) * math.sqrt(4 * notes))


def test_a_layer_that_is_called_for_each_block_has_time_slices_too():
    class Stepwise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(1, 3)

        def forward(self, x: Tensor) -> Tensor:
            steps = [t * self.dense(x[:, t]) for t in range(x.shape[1])]
            return torch.stack(steps, dim=1)

    layers, reach = look_at(Stepwise(), torch.ones(5, SLICES, 1))
    assert layers["dense"].over_time == pytest.approx(np.arange(SLICES) * math.sqrt(15.0))
    assert reach == {}


def test_convolved_blocks_have_units_but_no_time():
    continuator = make("cnn_lstm", filters=8, length=5, batch_norm=True)
    train(continuator)
    layers = diagnose(continuator, CLIPS).layers
    kinds = ["Conv1d", "Tanh", "BatchNorm1d", "Linear", "LSTM", "Linear"]
    assert [layer.kind for layer in layers.values()] == kinds
    has_time = [bool(layer.over_time) for layer in layers.values()]
    assert has_time == [False, False, False, True, True, True]
    continuator.net.front.stack[1].weight.data[:3] = 0.0
    layers = diagnose(continuator, CLIPS).layers
    assert layers["front.stack.1"].dead == 3 / 8


@pytest.mark.parametrize(
    ("mean", "var", "expected"),
    [(0.0, 1.0, 0.0), (0.5, 1.0, 0.25), (0.0, 2.0, 0.25), (0.0, 0.5, 0.25), (1.0, 1.0, 1.0)],
)
def test_disagreement_is_the_symmetrised_divergence(mean, var, expected):
    norm = nn.BatchNorm1d(3)
    norm.running_mean.fill_(mean)
    norm.running_var.fill_(var)
    x = torch.randn(200, 3, 20, generator=torch.Generator().manual_seed(0))
    x = (x - x.mean((0, 2), keepdim=True)) / x.std((0, 2), keepdim=True)
    layers, _ = look_at(nn.Sequential(norm), x)
    assert layers["0"].disagreement == pytest.approx(expected, abs=1e-3)
    assert norm.running_var.unique().item() == var


# --- it says what is wrong -------------------------------------------------------------------

FINE = Likeness(made=0.3, true=0.2, pitches=8)


def look(steps: int = 1000, **layers: LayerLook) -> Look:
    return Look(epoch=9, steps=steps, layers=layers, reach={}, likeness=FINE)


def test_a_layer_without_gradient_is_named():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x).detach()))  # type: ignore[no-any-return]

    seen = diagnose(Stub(Cut()), CLIPS)
    lines = [line for line in symptoms(seen) if "gradient" in line]
    assert lines == [
        "layer a (Linear) receives no gradient and learns nothing: norm 0.0e+00, "
        f"the median layer's is {min(seen.layers[name].gradient for name in 'bc'):.1e}"
    ]


def test_a_vanishing_gradient_is_named_and_a_small_one_is_not():
    fine, small, gone = (LayerLook(kind="Linear", gradient=g) for g in (1.0, 1e-5, 1e-7))
    assert symptoms(look(a=small, b=fine, c=fine)) == []
    (line,) = symptoms(look(a=gone, b=fine, c=fine))
    assert line.startswith("layer a (Linear) receives no gradient")


def test_statistics_are_judged_once_they_have_settled():
    apart = LayerLook(kind="BatchNorm1d", gradient=1.0, disagreement=3.0)
    assert symptoms(look(steps=20, norm=apart)) == []
    (line,) = symptoms(look(norm=apart))
    assert line.startswith("layer norm (BatchNorm1d) generates with other statistics than it")


def test_mostly_dead_layers_are_named():
    half, more = (LayerLook(kind="ReLU", dead=share) for share in (0.5, 0.75))
    (line,) = symptoms(look(a=half, b=more))
    assert line.startswith("layer b (ReLU): 75% of its units are dead")


@pytest.mark.parametrize(
    ("made", "true", "is_deaf"),
    [(1.0, 0.1, True), (0.97, 0.1, True), (0.93, 0.1, False), (0.97, 0.6, False),
     (0.99, 0.6, True), (1.0, 0.97, False), (math.nan, math.nan, False)],
)  # fmt: skip
def test_one_sound_for_every_prime_is_told_from_notes_that_are_alike(made, true, is_deaf):
    assert bool(deaf(Likeness(made=made, true=true, pitches=4))) == is_deaf


@pytest.mark.parametrize(("name", "is_deaf"), [("esprit", False), ("repeat", False),
                                               ("silence", True)])  # fmt: skip
def test_continuators_without_a_net_are_heard(name, is_deaf):
    seen = diagnose(create(name, SIGNAL, {}), CLIPS)
    assert seen.layers == {}
    assert heat_maps([seen]) == {}
    assert any("no longer depend on the prime" in line for line in symptoms(seen)) == is_deaf


def test_one_pitch_says_nothing_about_dependence():
    heard = hear(create("silence", SIGNAL, {}), CLIPS[:1])
    assert heard.pitches == 1
    assert deaf(heard) == []


TRAINED = {"epochs": 40, "units": 48, "learning_rate": 1e-2}
CONVOLVED = TRAINED | {"epochs": 80, "filters": 8, "length": 5, "batch_norm": True}


@pytest.mark.parametrize(("name", "config"), [("lstm", TRAINED), ("cnn_lstm", CONVOLVED)])
def test_healthy_nets_are_not_warned_of(name, config):
    diagnosis = diagnosed(name, every=20, **config)
    assert diagnosis.warnings() == []
    assert diagnosis.looks[-1].likeness.made < 0.7


def test_frozen_statistics_are_found_and_what_comes_of_them():
    lines = diagnosed("cnn_lstm", every=20, **CONVOLVED, frozen_statistics=True).warnings()
    assert lines[0].startswith("layer front.stack.3 (BatchNorm1d) generates with other statistics")
    assert lines[1].startswith("the continuations no longer depend on the prime: those of 8 pitch")
    assert len(lines) == 2


def test_relus_that_died_are_found():
    continuator = make("cnn_lstm", convolution_activation="relu", filters=8, length=5)
    train(continuator)
    continuator.net.front.stack[1].bias.data.fill_(-100.0)
    lines = symptoms(diagnose(continuator, CLIPS))
    assert any(line.startswith("layer front.stack.1 (Conv1d) receives no") for line in lines)
    assert any(line.startswith("layer front.stack.2 (ReLU): 100% of its units") for line in lines)
    assert any("no longer depend on the prime" in line for line in lines)


# --- over training ---------------------------------------------------------------------------


def test_it_looks_every_few_epochs_and_at_the_last():
    continuator = make(epochs=5)
    diagnosis = Diagnosis(continuator, CLIPS, every=2)
    assert diagnosis.warnings() == []
    train(continuator, report=diagnosis)
    assert [look.epoch for look in diagnosis.looks] == [2, 4, 5]
    assert [look.steps for look in diagnosis.looks] == [8, 16, 20]


def run(path: Path, stop: Callable[[int], bool] = lambda _: False) -> Diagnosis:
    continuator = make(epochs=12)
    diagnosis = Diagnosis(continuator, CLIPS, every=2, path=path / "looks.json")

    def report(epoch: Any) -> None:
        diagnosis(epoch)
        if stop(epoch.number):
            raise KeyboardInterrupt

    train(continuator, report=report, checkpoint=path)
    return diagnosis


@pytest.mark.parametrize("stop", [4, 7, 12])
def test_looks_outlive_an_interruption(stop, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parted", lambda epoch: epoch == stop)
    assert run(tmp_path / "parted").looks == run(tmp_path / "whole").looks


def test_looks_survive_the_way_to_a_file_and_back(tmp_path):
    looks = [diagnose(make(), CLIPS, 1), look(a=LayerLook(kind="X", gradient=math.inf))]
    files.write(looks, tmp_path / "looks.json")
    assert files.read(tmp_path / "looks.json") == looks
    assert files.read(tmp_path / "none.json") == []


def test_each_layer_and_slice_is_in_the_pictures():
    figures = heat_maps(diagnosed("cnn_lstm", filters=8, length=5, batch_norm=True).looks)
    assert list(figures) == [
        "gradient", "weights", "activations", "dead", "gradient_over_time", "reach",
    ]  # fmt: skip
    rows = [label.get_text() for label in figures["gradient"].axes[0].get_yticklabels()]
    assert rows == ["front.stack.1 (Conv1d)", "front.stack.3 (BatchNorm1d)", "inward (Linear)",
                    "lstm (LSTM)", "outward (Linear)"]  # fmt: skip
    image = figures["reach"].axes[0].images[0].get_array()
    assert image is not None
    assert image.shape == (SLICES, 2)


@pytest.mark.parametrize("name", [n for n, kind in MODELS.items() if kind.learned])
def test_every_net_can_be_looked_into(name):
    small = {"units": 16, "resolution": 30} if issubclass(MODELS[name], Blockwise) else {}
    continuator = create(name, SIGNAL, {**small, "epochs": 2, "transpose": 0})
    diagnosis = Diagnosis(continuator, CLIPS)
    fit(continuator, CLIPS, seed=0, device="cpu", report=diagnosis)
    assert [look.epoch for look in diagnosis.looks] == [1, 2]
    figures = heat_maps(diagnosis.looks)
    assert {"gradient", "weights"} <= figures.keys()
