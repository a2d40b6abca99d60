"""One-dimensional convolutions over each block, the front of the paper's second model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from notedecay.core.errors import UserError

ConvolutionActivation = Literal["relu", "tanh", "sigmoid", "linear"]

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}
FEWEST_FILTERS = 4
SHORTEST = 3
MOMENTUM = 0.1
"""Share of a batch in the running statistics of the normalisation."""


def shapes(convolutions: int, filters: int, length: int) -> list[tuple[int, int]]:
    """Filters and length of each layer by the paper's rule: half of the one before.

    Returns
    -------
    list of (int, int)
        Never under 4 filters or a length of 3.
    """
    return [
        (max(FEWEST_FILTERS, filters >> layer), max(SHORTEST, length >> layer))
        for layer in range(convolutions)
    ]


class Convolutions(nn.Module):
    """Convolution, activation and normalisation, with pooling between the layers.

    Parameters
    ----------
    size : int
        Values in a block.
    layers : list of (int, int)
        Filters and length of each, as :func:`shapes` gives them.
    activation : str
        Of every layer.
    batch_norm : bool
        Whether each layer's output is normalised, per filter over all known blocks.
    frozen_statistics : bool
        Whether predictions take 0 and 1 for the mean and the variance, whatever they were.
    pool : bool
        Whether the larger of two neighbours is kept between two layers (stride 2, valid).

    Attributes
    ----------
    width : int
        Values that come out for each block.

    Raises
    ------
    UserError
        Where pooling leaves nothing of so short a block.
    """

    def __init__(
        self,
        size: int,
        layers: list[tuple[int, int]],
        *,
        activation: ConvolutionActivation,
        batch_norm: bool,
        frozen_statistics: bool,
        pool: bool,
    ) -> None:
        super().__init__()
        stack: list[nn.Module] = []
        channels, values = 1, size
        for number, (filters, length) in enumerate(layers):
            if number and pool:
                stack.append(nn.MaxPool1d(2))
                values //= 2
            same = nn.ConstantPad1d(((length - 1) // 2, length // 2), 0.0)
            stack += [same, nn.Conv1d(channels, filters, length), ACTIVATIONS[activation]()]
            if batch_norm:
                # Without momentum the statistics stay at 0 and 1, as in Keras 1.0.4 (issue 7466).
                momentum = 0.0 if frozen_statistics else MOMENTUM
                stack.append(nn.BatchNorm1d(filters, momentum=momentum))
            channels = filters
        if not values:
            raise UserError(
                f"blocks of {size} values are too short for {len(layers)} convolutions with "
                "pooling between them: choose fewer, a lower resolution, or pool: false"
            )
        self.stack = nn.Sequential(*stack)
        self.width = channels * values

    def forward(self, blocks: Tensor, known: Tensor | None = None) -> Tensor:
        """Convolve each block by itself.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
        known : tensor, shape (notes, blocks, 1), optional
            0 for padding: zeros come out, and it counts in no statistics.

        Returns
        -------
        tensor, shape (notes, blocks, width)
        """
        if known is None:
            known = blocks.new_ones(*blocks.shape[:2], 1)
        real = known.squeeze(2) > 0
        convolved = blocks.new_zeros(*blocks.shape[:2], self.width)
        convolved[real] = self.stack(blocks[real].unsqueeze(1)).flatten(1)
        return convolved
