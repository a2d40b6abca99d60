"""The model as MLflow stores and serves it: this file is its code, the weights lie beside it.

A request has a column ``prime`` (base64 of a WAV or FLAC file of the note's beginning) and a
column ``seconds`` (length of the continuation); the answer has a column ``audio`` (base64 of a
24-bit WAV: the prime as the model heard it, then the continuation).
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from notedecay.audio import encode
from notedecay.continuators import Continuator, load
from notedecay.errors import UserError
from notedecay.generation import continue_encoded

LARGEST_REQUEST = 16
"""Rows; the scoring server itself bounds nothing."""


class ServedContinuator(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """A continuator behind MLflow's scoring server."""

    continuator: Continuator[Any]

    def load_context(self, context: Any) -> None:
        """Read the continuator from the model's folder."""
        self.continuator = load(Path(context.artifacts["continuator"]))

    def predict(
        self,
        context: Any,  # noqa: ARG002 (mlflow calls by name)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Continue each row's prime."""
        if len(model_input) > LARGEST_REQUEST:
            raise UserError(f"a request holds up to {LARGEST_REQUEST} rows, got {len(model_input)}")
        rows = zip(model_input["prime"], model_input["seconds"], strict=True)
        answers = [continue_encoded(self.continuator, prime, seconds) for prime, seconds in rows]
        return pd.DataFrame(
            {"audio": [base64.b64encode(encode(a.samples, a.rate)).decode() for a in answers]}
        )


mlflow.models.set_model(ServedContinuator())
