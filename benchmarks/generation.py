"""What carrying the state buys: free-running generation in O(T) against the paper's O(T^2).

The paper's code predicts the whole grown sequence again for every block. Both ways make the
same samples (tests/models/recurrent/test_lstm.py); here they run side by side, and the ratio of
their times is printed per length.

    python benchmarks/generation.py
"""

from __future__ import annotations

import time

import numpy as np
import torch

from notedecay.models import Signal, create

UNITS, RESOLUTION, RATE = 512, 60, 8400


def regrown(net: torch.nn.Module, blocks: torch.Tensor, count: int) -> torch.Tensor:
    """Predict every block from the whole sequence so far, as the paper's code does."""
    sequence = blocks
    for _ in range(count):
        predicted, _ = net(sequence)
        sequence = torch.cat([sequence, predicted[:, -1:]], dim=1)
    return sequence[:, blocks.shape[1] :]


def main() -> None:
    """Print seconds and ratio for continuations of 1, 2 and 5 seconds."""
    torch.manual_seed(0)
    signal = Signal(instrument="benchmark", rate=RATE)
    model = create("lstm", signal, {"units": UNITS, "resolution": RESOLUTION})
    prime = np.random.default_rng(0).standard_normal(signal.prime_samples).astype(np.float32)
    size = RATE // RESOLUTION
    blocks = torch.from_numpy(prime[-(len(prime) // size) * size :]).reshape(1, -1, size)
    print(f"{UNITS} units, {RESOLUTION} blocks/s, {torch.get_num_threads()} threads")
    print(f"{'seconds':>8} {'carried':>9} {'regrown':>9} {'ratio':>7}")
    for seconds in (1, 2, 5):
        began = time.perf_counter()
        model.continue_prime(prime, seconds * RATE)
        carried = time.perf_counter() - began
        began = time.perf_counter()
        with torch.no_grad():
            regrown(model.net, blocks, seconds * RESOLUTION)
        grown = time.perf_counter() - began
        print(f"{seconds:>8} {carried:>8.2f}s {grown:>8.2f}s {grown / carried:>6.1f}x")


if __name__ == "__main__":
    main()
