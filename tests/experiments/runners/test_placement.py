"""Where trials run: workers on cores, or packed on GPUs that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.runners import placement
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.runners.pool import PoolRunner
from notedecay.experiments.store import TrialStore
from notedecay.training import device


def have(monkeypatch: pytest.MonkeyPatch, *devices: str) -> None:
    """Let the machine have these devices, whatever it has."""
    for module in (placement, device):
        monkeypatch.setattr(module, "available_devices", lambda: list(devices))


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "cpu", "cuda:0", "cuda:1")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "cpu")


@pytest.mark.usefixtures("no_gpu")
def test_there_is_a_worker_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "cores", lambda: 3)
    assert Placement("auto").devices() == ["cpu"] * 3
    assert Placement("auto", workers=5).devices() == ["cpu"] * 5


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "workers", "share", "expected"),
    [
        ("auto", None, 1.0, ["cuda:0", "cuda:1"]),
        ("auto", None, 0.5, ["cuda:0", "cuda:1"] * 2),
        ("cuda", None, 0.25, ["cuda:0", "cuda:1"] * 4),
        ("cuda", None, 0.3, ["cuda:0", "cuda:1"] * 3),
        ("cuda:1", None, 0.5, ["cuda:1"] * 2),
        ("auto", 3, 0.25, ["cuda:0", "cuda:1", "cuda:0"]),
        ("cpu", 2, 1.0, ["cpu"] * 2),
    ],
)
def test_trials_share_gpus(
    device: str, workers: int | None, share: float, expected: list[str]
) -> None:
    assert Placement(device, workers, share).devices() == expected


@pytest.mark.usefixtures("two_gpus")
def test_a_runner_has_these_devices(tmp_path: Path) -> None:
    runner = Placement("auto", gpus_per_trial=0.5).runner(TrialStore(tmp_path))
    assert isinstance(runner, PoolRunner)
    assert runner.devices == ["cuda:0", "cuda:1"] * 2


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("given", "line"),
    [
        (Placement("cuda:2"), r"device 'cuda:2' is not here \(2 GPUs found\); use auto or cpu or "),
        (Placement("mps"), r"device 'mps' is not here"),
        (Placement("auto", gpus_per_trial=0.0), r"--gpus-per-trial 0: give a share of a GPU"),
        (Placement("auto", gpus_per_trial=1.5), r"--gpus-per-trial 1.5: give a share"),
    ],
)
def test_what_is_not_there_is_one_line(given: Placement, line: str) -> None:
    with pytest.raises(UserError, match=line):
        given.check()


def test_apples_gpu_runs_one_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "cpu", "mps")
    assert Placement("auto").devices() == ["mps"]
