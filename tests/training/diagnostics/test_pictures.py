"""Heat maps of a diagnosis."""

from __future__ import annotations

from notedecay.training.diagnostics.pictures import heat_maps
from notedecay.training.diagnostics.snapshots import SLICES
from tests.training.diagnostics.small_nets import diagnosed


def test_each_layer_and_slice_is_in_the_pictures():
    figures = heat_maps(diagnosed("cnn_lstm", filters=8, length=5, batch_norm=True).snapshots)
    assert list(figures) == [
        "gradient", "weights", "activations", "dead", "gradient_over_time", "reach",
    ]  # fmt: skip
    rows = [label.get_text() for label in figures["gradient"].axes[0].get_yticklabels()]
    assert rows == [
        "convolutions.stack.1 (Conv1d)", "convolutions.stack.3 (BatchNorm1d)",
        "input_layer (Linear)", "lstm (LSTM)", "output_layer (Linear)",
    ]  # fmt: skip
    image = figures["reach"].axes[0].images[0].get_array()
    assert image is not None
    assert image.shape == (SLICES, 2)
