"""The type of mono sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono samples, full scale is -1..1, shape (samples,)."""
