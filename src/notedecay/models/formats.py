"""Files of a saved model, and how older ones are read.

A saved model is a folder: ``model.json`` holds its name, signal and settings,
``weights.safetensors`` the weights of a model that learns, ``SHA256SUMS`` the checksums of both.
Format 1 named the first file ``continuator.json``, and some settings and weights otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from notedecay.core.errors import DamagedError, UserError

DESCRIPTION = "model.json"
"""File in a model's folder that says what it is."""

FORMAT = 2
"""Version of that file's layout."""

DESCRIPTION_1 = "continuator.json"
"""The same file in format 1."""

DESCRIPTIONS = (DESCRIPTION, DESCRIPTION_1)
"""Names under which a model's description may lie, the current one first."""

FORMAT_1_NAMES: Mapping[str, str | None] = {
    # settings
    "weed": "drop_transients",
    "hiss": "noise_floor",
    "strokes": "augmentations",
    "least_std": "min_std",
    # settings that acted in training alone, and are gone
    "rollout": None,
    "level_loss": None,
    "spectrum_loss": None,
    "decay_loss": None,
    "horizon_seconds": None,
    "quietest_db": None,
    "gated": None,  # of a net with gates the weights do not fit, and are refused
    # parts of the names of weights
    "inward": "input_layer",
    "outward": "output_layer",
    "front": "convolutions",
    "cause_features": "code_features",
    "decoder_inward": "decoder_input",
    "notes": "reference_features",
    "floor_db": "floor_level_db",
    "floor_lean": "floor_slopes",
}
"""Names of format 1 and what they are called today; None for a setting that is left out."""


class Description(NamedTuple):
    """What a saved model is, in today's names."""

    path: Path
    """File that it was read from."""
    model: Any
    """Name of the model, unchecked."""
    signal: Any
    config: Any
    """Signal and settings, unchecked."""


def read_description(folder: Path) -> Description:
    """Read what the model in a folder is, of format 1 or 2.

    Raises
    ------
    UserError
        For a file that is missing or damaged, or of a later format.
    """
    path = next((folder / n for n in DESCRIPTIONS if (folder / n).exists()), folder / DESCRIPTION)
    try:
        described = json.loads(path.read_text())
        layout, signal, config = (described[key] for key in ("format", "signal", "config"))
        model = described["continuator" if layout == 1 else "model"] if layout in (1, 2) else None
    except OSError as error:
        raise DamagedError(f"no model in {folder}: {error.strerror}: {path.name}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} is damaged; fetch or train the model again") from error
    if layout not in (1, FORMAT):
        raise UserError(f"{path} has format {layout!r}, this version reads 1 and {FORMAT}")
    if layout == 1 and isinstance(config, dict):
        config = {FORMAT_1_NAMES.get(k, k): v for k, v in config.items()}
        config.pop(None, None)
    return Description(path, model, signal, config)


def current_weight_name(name: str) -> str:
    """Name a weight as the nets of this version do; names of format 2 stay as they are."""
    return ".".join(FORMAT_1_NAMES.get(part) or part for part in name.split("."))
