"""Choice of the device to compute on."""

from __future__ import annotations

import torch

from notedecay.core.errors import UserError


def choose_device(name: str) -> torch.device:
    """Find the device that a setting names.

    Parameters
    ----------
    name : str
        ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.

    Returns
    -------
    torch.device

    Raises
    ------
    UserError
        For a device that this machine lacks.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (kind == "cuda" and (index or "0").isdecimal() and int(index or 0) < here):
        return torch.device(name)
    known = ["auto", "cpu", *(f"cuda:{i}" for i in range(here))]
    raise UserError(f"device '{name}' is not here ({here} GPUs found); use {' or '.join(known)}")
