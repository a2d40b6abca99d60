"""Choice of the device to compute on."""

from __future__ import annotations

import torch

from notedecay.core.errors import MachineError


def choose_device(name: str) -> torch.device:
    """Find the device that a setting names.

    Parameters
    ----------
    name : str
        ``auto`` (a GPU where there is one), ``cpu``, ``mps``, ``cuda`` or ``cuda:1``.

    Returns
    -------
    torch.device

    Raises
    ------
    MachineError
        For a device that this machine lacks.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    found = available_devices()
    if name == "auto":
        return torch.device(found[-1].partition(":")[0])
    kind, _, index = name.partition(":")
    if name in found or (kind == "cuda" and not index and "cuda:0" in found):
        return torch.device(name)
    gpus = sum(one.startswith("cuda") for one in found)
    raise MachineError(
        f"device '{name}' is not here ({gpus} GPUs found); use {' or '.join(['auto', *found])}"
    )


def available_devices() -> list[str]:
    """Names of this machine's devices: ``cpu``, then ``mps``, then ``cuda:0`` and so on."""
    mps = ["mps"] if torch.backends.mps.is_available() else []
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *mps, *(f"cuda:{index}" for index in range(gpus))]
