"""Imports of large libraries, without the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the garbage collector, and keep it off what was imported.

    PyTorch and SciPy make some hundred thousand objects, and hardly any garbage. The collector
    would walk them again and again while they are made, and once more at the end of the program:
    a quarter of the CPU time of ``notedecay generate``.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
