"""Training of models: the fit loop, checkpoints, evaluation during training, diagnostics."""

from notedecay.training.device import choose_device
from notedecay.training.fit import Epoch, Report, TrainingDiverged, fit

__all__ = ["Epoch", "Report", "TrainingDiverged", "choose_device", "fit"]
