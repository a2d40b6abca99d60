"""One-dimensional convolutions over each block, the first layers of the paper's second model."""

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
MIN_FILTERS = 4
MIN_LENGTH = 3
MOMENTUM = 0.1
"""Weight of a batch in the running statistics of the normalisation."""


def shapes(convolutions: int, filters: int, length: int) -> list[tuple[int, int]]:
    """Compute filters and length of each layer by the paper's rule: half of the one before.

    Returns
    -------
    list of (int, int)
        Never under 4 filters or a length of 3.
    """
    return [
        (max(MIN_FILTERS, filters >> layer), max(MIN_LENGTH, length >> layer))
        for layer in range(convolutions)
    ]


class Convolutions(nn.Module):
    """Convolution, activation and normalisation, with pooling between the layers.

    Parameters
    ----------
    size : int
        Values in a block.
    layers : list of (int, int)
        Filters and length of each layer, from :func:`shapes`.
    activation : str
        Activation of every layer.
    batch_norm : bool
        Whether each layer's output is normalised, per filter over all blocks but padding.
    frozen_statistics : bool
        Whether the running statistics stay at mean 0 and variance 1.
    pool : bool
        Whether max-pooling lies between two layers (width 2, stride 2, valid).

    Attributes
    ----------
    width : int
        Outputs per block.

    Raises
    ------
    UserError
        For blocks too short for the pooling.
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

    def forward(self, blocks: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply the layers to each block.

        Parameters
        ----------
        blocks : tensor, shape (notes, blocks, size)
        mask : tensor, shape (notes, blocks, 1), optional
            0 for padding: its outputs are 0, and it counts in no statistics.

        Returns
        -------
        tensor, shape (notes, blocks, width)
        """
        if mask is None:
            flat: Tensor = self.stack(blocks.flatten(0, 1).unsqueeze(1))
            return flat.reshape(*blocks.shape[:2], self.width)
        real = mask.squeeze(2) > 0
        convolved = blocks.new_zeros(*blocks.shape[:2], self.width)
        convolved[real] = self.stack(blocks[real].unsqueeze(1)).flatten(1)
        return convolved
