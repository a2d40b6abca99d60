"""The variational recurrent model: its bound, both ways to generate, and odd inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from notedecay.core.errors import UserError
from notedecay.data.note import Clip
from notedecay.models import Signal, create, load
from notedecay.models.recurrent.gaussian import Gaussian, gaussian
from notedecay.models.recurrent.model import Framed
from notedecay.models.recurrent.vrnn import Vrnn
from notedecay.models.recurrent.vrnn_net import LATENT_BOUNDS
from notedecay.training import Epoch, fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="test", rate=RATE)
PRIME = SIGNAL.prime_samples
TINY = {"units": 32, "latent": 5, "resolution": 40, "transpose": 0, "batch": 4}
GENERATIONS = ["mean", "sample"]


def make(**config: Any) -> Vrnn:
    model = create("vrnn", SIGNAL, TINY | config)
    assert isinstance(model, Vrnn)
    return model


def clip(frequency: float, seconds: float = 1.5) -> Clip:
    samples = damped([frequency, 2 * frequency], [1.5, 0.8], [1, 0.5], seconds=seconds, rate=RATE)
    return Clip(f"test/{frequency:g}", 60, samples, RATE)


CLIPS = [clip(f) for f in (150, 200, 265, 310)]
PRIMES = [c.samples[:PRIME] for c in CLIPS]


def prepared(model: Vrnn, clips: list[Clip]) -> Framed:
    batches = model.prepare(clips, torch.Generator().manual_seed(0))
    return Framed(*batches.batch(torch.arange(len(batches))))


def loss(model: Vrnn, blocks: Tensor, mask: Tensor, seed: int = 0) -> float:
    return model.loss((blocks, mask), torch.Generator().manual_seed(seed)).item()


def noise(model: Vrnn, blocks: Tensor, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*blocks.shape[:2], model.config.latent, generator=generator)


def normal(made: Gaussian) -> Normal:
    return Normal(made.mean, (0.5 * made.log_variance).exp())


@torch.no_grad()
def test_the_loss_is_the_negative_bound_per_sample() -> None:
    model = make()
    blocks, mask = prepared(model, [clip(200)])
    net, noises = model.net, noise(model, blocks)
    hidden, total = torch.zeros(1, 32), 0.0
    memory = hidden[None], hidden[None]
    for block, step_noise in zip(blocks.unbind(1), noises.unbind(1), strict=True):
        features = net.activation(net.block_features(block))
        seen = net.encoder_block(features) + net.encoder_memory(hidden)
        posterior = normal(gaussian(net.encoder(net.activation(seen)), *LATENT_BOUNDS))
        code = net.activation(net.code_features(posterior.mean + posterior.stddev * step_noise))
        prior, output = normal(net.prior_of(hidden)), normal(net.decode(code, hidden))
        total += kl_divergence(posterior, prior).sum() - output.log_prob(block).sum()
        joined = torch.cat([features, code], dim=1)[:, None]
        _, memory = net.lstm(joined, memory)
        hidden = memory[0][0]
    assert loss(model, blocks, mask) == pytest.approx(float(total) / blocks.numel(), rel=1e-5)


@torch.no_grad()
def test_padding_does_not_count() -> None:
    model = make()
    short, long = clip(200, seconds=1.0), clip(300)
    blocks, mask = prepared(model, [short, long])
    assert mask[0].sum() < mask[1].sum() == blocks.shape[1]
    garbage = torch.where(mask > 0, blocks, torch.full_like(blocks, 5.0))
    assert loss(model, garbage, mask) == loss(model, blocks, mask)
    total, noises = 0.0, noise(model, blocks)
    for note, note_noise in zip((short, long), noises, strict=True):
        alone = prepared(model, [note]).blocks
        log_density, divergence = model.net.bound(alone, note_noise[None, : alone.shape[1]])
        total += float((divergence - log_density).sum())
    expected = total / (float(mask.sum()) * model.blocks.size)
    assert loss(model, blocks, mask) == pytest.approx(expected, rel=1e-5)


def test_the_generator_is_the_only_source_of_random_numbers() -> None:
    model = make()
    framed = prepared(model, CLIPS)
    assert loss(model, *framed, 1) == loss(model, *framed, 1) != loss(model, *framed, 2)


def trained(generation: str = "mean", **config: Any) -> tuple[Vrnn, list[float]]:
    model = make(generation=generation, **{"epochs": 40, "learning_rate": 5e-3} | config)
    epochs: list[Epoch] = []
    fit(model, CLIPS, seed=0, device="cpu", report=epochs.append)
    return model, [epoch.metrics["train_loss"] for epoch in epochs]


def test_training_raises_the_bound_and_the_latents_carry_something() -> None:
    model, losses = trained(epochs=60, min_std=0.3)
    assert losses[-1] < losses[0] - 0.5
    untrained = make()
    prepared(untrained, CLIPS)
    assert model.teacher_forced_error(CLIPS) < 0.75 * untrained.teacher_forced_error(CLIPS)
    blocks, _ = model._frame([c.samples for c in CLIPS])
    with torch.no_grad():
        _, divergence = model.net.bound(blocks, noise(model, blocks))
    assert divergence.mean() > 0.1


def test_the_same_seed_trains_the_same_weights() -> None:
    one, other = trained(epochs=3)[0].state(), trained(epochs=3)[0].state()
    assert all(one[key].equal(other[key]) for key in one)


def test_the_prime_is_encoded_by_posterior_means_and_continued_from_the_prior() -> None:
    model, _ = trained(epochs=5)
    size = model.blocks.size
    made = model.continue_prime(PRIMES[0], 3 * size).reshape(3, size)
    rms = float(np.sqrt(np.square(PRIMES[0]).mean()))
    inputs = torch.from_numpy(model.blocks.cut(PRIMES[0], PRIME) / rms)[None]
    net = model.net
    with torch.no_grad():
        first, (hidden, cell) = net(inputs)
        assert np.allclose(made[0], first[0, -1] * rms, atol=1e-5)
        block, code = first[:, -1], net.activation(net.code_features(net.prior_of(hidden).mean))
        joined = torch.cat([net.activation(net.block_features(block)), code], dim=1)[:, None]
        _, (hidden, _) = net.lstm(joined, (hidden[None], cell[None]))
        code = net.activation(net.code_features(net.prior_of(hidden[0]).mean))
        assert np.allclose(made[1], net.decode(code, hidden[0]).mean[0] * rms, atol=1e-5)


def test_teacher_forced_error_is_that_of_the_mean_prediction() -> None:
    model, _ = trained(epochs=5)
    note = CLIPS[0]
    rms = float(np.sqrt(np.square(note.samples[:PRIME]).mean()))
    blocks = model.blocks.cut(note.samples, PRIME)
    errors = []
    for known in range(1, len(blocks)):
        with torch.no_grad():
            made = model.net.generate(torch.from_numpy(blocks[None, :known] / rms), 1)[0, 0]
        errors.append(np.square(made.numpy() - blocks[known] / rms).mean())
    assert model.teacher_forced_error([note]) == pytest.approx(np.mean(errors), rel=1e-4)


def test_means_do_not_depend_on_the_seed_and_samples_on_nothing_else() -> None:
    model, _ = trained(epochs=5)

    def continued(**config: Any) -> np.ndarray:
        again = make(**config)
        again.restore(model.state())
        return again.continue_prime(PRIMES[0], 2000)

    mean = continued()
    assert np.array_equal(mean, continued(generation_seed=7))
    sample = continued(generation="sample")
    assert np.array_equal(sample, continued(generation="sample"))
    for other in (mean, continued(generation="sample", generation_seed=7)):
        assert np.abs(sample - other).max() > 0.01 * np.abs(mean).max()


def test_two_primes_have_no_noise_in_common() -> None:
    model, _ = trained(epochs=5)
    noises = []
    for prime in PRIMES[:2]:
        made = []
        for generation in GENERATIONS:
            again = make(generation=generation)
            again.restore(model.state())
            made.append(again.continue_prime(prime, 4000))
        noises.append(made[1] - made[0])
    assert abs(np.corrcoef(noises)[0, 1]) < 0.2


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_continuation_depends_on_its_prime_alone(generation: str, tmp_path: Path) -> None:
    model, _ = trained(generation, epochs=5)
    lengths = [700, 3000, 0, 1999]
    together = model.continue_primes(PRIMES, lengths)
    for prime, length, made in zip(PRIMES, lengths, together, strict=True):
        alone = model.continue_prime(prime, length)
        assert made.shape == (length,)
        assert np.allclose(made, alone, atol=1e-5)
        longer = model.continue_prime(prime, length + 1234)
        assert np.array_equal(alone, longer[:length])
    model.save(tmp_path)
    assert np.array_equal(
        load(tmp_path).continue_prime(PRIMES[1], 3000), model.continue_prime(PRIMES[1], 3000)
    )


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(GENERATIONS),
    st.sampled_from(["silence", "constant", "noise", "click"]),
    st.floats(1e-12, 1e3),
)
def test_any_prime_gives_finite_samples(generation: str, kind: str, level: float) -> None:
    model = make(generation=generation)
    prime = {
        "silence": np.zeros(PRIME),
        "constant": np.ones(PRIME),
        "noise": np.random.default_rng(0).standard_normal(PRIME),
        "click": np.eye(1, PRIME, 100)[0],
    }[kind]
    made = model.continue_prime((level * prime).astype(np.float32), 4000)
    assert np.isfinite(made).all()
    assert made.any() == (kind != "silence")


@pytest.mark.parametrize("level", ["prime", "global"])
@pytest.mark.parametrize("value", [0.0, 0.5, 1e-12])
def test_notes_without_a_sound_can_be_learned(level: str, value: float) -> None:
    model = make(level=level, epochs=20, learning_rate=0.05)
    still = Clip("test/still", 60, np.full(2500, value, np.float32), RATE)
    fit(model, [still], seed=0, device="cpu")  # raises where the loss is no number
    assert all(weight.isfinite().all() for weight in model.state().values())
    assert np.isfinite(model.continue_prime(still.samples[:PRIME], 3000)).all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"latent": 0}, "greater than or equal to 1"),
        ({"min_std": 0.0}, "greater than or equal to"),
        ({"generation": "median"}, "'mean' or 'sample'"),
        ({"generation_seed": -1}, "greater than or equal to 0"),
        ({"loss": "relative"}, "unknown parameter loss"),
        ({"input_noise": 0.1}, "unknown parameter input_noise"),
        ({"layers": 2}, "unknown parameter layers"),
    ],
)
def test_a_wrong_setting_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(**config)
