"""A small trained model of a bell."""

from __future__ import annotations

from notedecay.data.note import Clip
from notedecay.models import Continuator, LearnedContinuator, Signal, create
from notedecay.training import fit
from tests.synthetic import damped

RATE = 2000
SIGNAL = Signal(instrument="bells", rate=RATE)
NAME = "notedecay-bells"
NOTE = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=1.5, rate=RATE)


def trained() -> Continuator[LearnedContinuator]:
    model = create("lstm", SIGNAL, {"units": 16, "epochs": 2, "transpose": 0})
    fit(model, [Clip("bells/ff/A3", 57, NOTE, RATE)], seed=0, device="cpu")
    return model
