"""A model as MLflow stores and serves it: this file is its code, the weights lie beside it.

A request has a column ``prime`` (base64 of a WAV or FLAC file of the note's beginning) and a
column ``seconds`` (length of the continuation); the answer has a column ``audio`` (base64 of a
24-bit WAV: the prime as the model uses it, then the continuation).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST

from notedecay.core.errors import UserError
from notedecay.models import Continuator, load
from notedecay.serving.codec import MAX_ROWS, continue_encoded, encode_note


class RefusedRequestError(MlflowException, UserError):
    """A request that the model refuses, in one line.

    The scoring server answers any other exception with a stack trace, and puts the whole table
    before the message of an ``MlflowException``. The client gets the line alone.
    """

    def __init__(self, line: str) -> None:
        super().__init__(line, error_code=BAD_REQUEST)
        self.line = line

    def serialize_as_json(self) -> str:
        """Body of the answer."""
        return json.dumps({"error_code": self.error_code, "message": self.line})


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """A model behind MLflow's scoring server."""

    model: Continuator[Any]

    def load_context(self, context: Any) -> None:
        """Read the model from the artifacts of its version."""
        self.model = load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: Any,  # noqa: ARG002 (mlflow calls by name)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Continue each row's prime."""
        of = len(model_input)
        if of > MAX_ROWS:
            raise RefusedRequestError(f"a request holds up to {MAX_ROWS} rows, got {of}")
        rows = zip(model_input["prime"], model_input["seconds"], strict=True)
        audio = [self._audio(*row, f"row {number} of {of}") for number, row in enumerate(rows, 1)]
        return pd.DataFrame({"audio": audio})

    def _audio(self, prime: Any, seconds: Any, where: str) -> str:
        try:
            made = continue_encoded(self.model, prime, seconds)
        except UserError as error:
            raise RefusedRequestError(f"{where}: {error}") from error
        return encode_note(made)


mlflow.models.set_model(ServedModel())
