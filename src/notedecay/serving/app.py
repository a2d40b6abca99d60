"""REST server of a registered model: MLflow's scoring server, with refusals in one line.

MLflow's own server answers a request that it refuses with a stack trace and with paths of its
machine, and reads a body of any size. This one answers the same requests with the same bytes. It
refuses the others with status 400 and one line that names the row.

It is run as a script and imports nothing of notedecay: a registered version brings its own code,
and Python would use a package that is loaded already in its place.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
import logging
import os
import reprlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mlflow warns of its own type hints
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import PyFuncModel, scoring_server

server: Any = scoring_server  # it has no types

MAX_BODY_BYTES = 32 * 2**20
MAX_ROWS = 16
COLUMNS = {"prime": "text, base64 of a recording", "seconds": "a number"}
"""Columns of a request, and what their cells must be."""
SHAPES = ("dataframe_records", "dataframe_split", "instances", "inputs")
UNFORESEEN = "Encountered an unexpected error"
"""Start of MLflow's message for an exception of the model that is not its own."""
EXAMPLE = '{"dataframe_records": [{"prime": "<base64 of a recording>", "seconds": 5.0}]}'

logger = logging.getLogger("uvicorn.error")


class BadTableError(Exception):
    """A request whose body holds no table of primes and seconds; the message is one line."""


def make_app(model: PyFuncModel) -> FastAPI:
    """Make the HTTP app of a model.

    Parameters
    ----------
    model : PyFuncModel
        A loaded model whose input is a table with the columns of :data:`COLUMNS`.

    Returns
    -------
    FastAPI
        With the paths of MLflow's scoring server: ``/invocations``, ``/ping``, ``/health`` and
        ``/version``.
    """
    app: FastAPI = server.init(model)
    app.router.routes[:] = [
        route for route in app.router.routes if getattr(route, "path", "") != "/invocations"
    ]

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        body = await _bounded_body(request)
        if body is None:
            line = f"the body is larger than {MAX_BODY_BYTES // 2**20} MiB: send fewer rows"
            return _refusal(413, line)
        content_type = request.headers.get("content-type", "")
        return await asyncio.to_thread(answer, model, body, content_type)

    return app


async def _bounded_body(request: Request) -> bytes | None:
    """Read the body; None where it is too large. The rest is read and dropped.

    A client that is cut off while it sends does not read the answer.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            chunks = []
        else:
            chunks.append(chunk)
    return b"".join(chunks) if size <= MAX_BODY_BYTES else None


def answer(model: PyFuncModel, body: bytes, content_type: str) -> Response:
    """Answer one request.

    Parameters
    ----------
    model : PyFuncModel
        As :func:`make_app` takes it.
    body : bytes
        Of the request.
    content_type : str
        Its header.

    Returns
    -------
    Response
        Status 200 and the predictions; 400 or 415 and one line about the request; 500 and one
        line that says that the model failed, whose reason is in the server's log.
    """
    try:
        metadata: Any = model.metadata
        schema = metadata.get_input_schema()
        made = server.invocations(body, content_type, model, schema)
        if made.status == 415:
            return _refusal(415, f"send application/json in UTF-8, not '{content_type[:80]}'")
        return Response(made.response, made.status, media_type=made.mimetype)
    except Exception as error:
        line = _line_of_table(body, content_type) or _line_of_model(error)
        if line is not None:
            return _refusal(400, line)
        if isinstance(error, MlflowException) and not error.message.startswith(UNFORESEEN):
            return _refusal(400, f"the body is not understood; send {EXAMPLE}")
        logger.exception("the model failed on a request")
        return _refusal(500, "the model failed on this request; the server's log says why")


def _refusal(status: int, line: str) -> Response:
    codes = {413: "REQUEST_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE", 500: "INTERNAL_ERROR"}
    content = {"error_code": codes.get(status, "BAD_REQUEST"), "message": " ".join(line.split())}
    return Response(json.dumps(content), status, media_type="application/json")


def _line_of_model(error: BaseException | None) -> str | None:
    """Find the model's refusal of its input, which MLflow may have wrapped.

    The class is recognised by its name, since it comes with the model's own code.
    """
    while error is not None:
        if any(kind.__name__ == "UserError" for kind in type(error).__mro__):
            return str(error)
        error = error.__cause__ or error.__context__
    return None


def _line_of_table(body: bytes, content_type: str) -> str | None:
    """Find what is wrong with a table of JSON; None where nothing is, and in other formats."""
    if content_type.partition(";")[0].strip() != server.CONTENT_TYPE_JSON:
        return None
    try:
        rows = list(_rows(body))
        if not 1 <= len(rows) <= MAX_ROWS:
            raise BadTableError(f"a request holds 1 to {MAX_ROWS} rows, got {len(rows)}")
        for number, row in enumerate(rows, 1):
            _check_row(row, f"row {number} of {len(rows)}")
    except BadTableError as wrong:
        return str(wrong)
    return None


def _rows(body: bytes) -> Iterator[dict[str, Any]]:
    """Rows of a JSON body, whatever its shape."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadTableError(f"the body is not JSON ({error}); send {EXAMPLE}") from error
    if not isinstance(content, dict) or len(shapes := [s for s in SHAPES if s in content]) != 1:
        raise BadTableError(f"the body needs one of {', '.join(SHAPES)}; send {EXAMPLE}")
    table = content[shapes[0]]
    if shapes[0] == "dataframe_split":
        yield from _rows_of_split(table)
    elif isinstance(table, dict):
        yield from _rows_of_columns(table)
    elif isinstance(table, list) and all(isinstance(row, dict) for row in table):
        yield from table
    else:
        raise BadTableError(f"{shapes[0]} is no list of rows; send {EXAMPLE}")


def _rows_of_split(table: Any) -> Iterator[dict[str, Any]]:
    columns = table.get("columns") if isinstance(table, dict) else None
    data = table.get("data") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise BadTableError('dataframe_split needs "columns" and "data", which are lists')
    for number, row in enumerate(data, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            where = f"row {number} of {len(data)}"
            raise BadTableError(f"{where}: is no list of {len(columns)} values, one per column")
        yield dict(zip(map(str, columns), row, strict=True))


def _rows_of_columns(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    columns = {name: v if isinstance(v, list) else [v] for name, v in table.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        found = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise BadTableError(f"columns of different lengths: {found}")
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _check_row(row: dict[str, Any], where: str) -> None:
    for name, description in COLUMNS.items():
        if name not in row:
            near = difflib.get_close_matches(name, map(str, row), n=1)
            hint = f"; '{near[0]}' must be called '{name}'" if near else ""
            raise BadTableError(f"{where}: has no '{name}', which is {description}{hint}")
        if not (isinstance(row[name], str) if name == "prime" else _is_number(row[name])):
            shown = reprlib.repr(row[name])
            raise BadTableError(f"{where}: {name} must be {description}, got {shown}")


def _is_number(value: Any) -> bool:
    """Whether a cell is a number, or text that reads as one."""
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def main() -> None:
    """Serve the model that the command line names, until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    try:
        model = server.load_model_with_mlflow_config(options.model)
    except Exception as error:  # of MLflow, of the file system, of the model's own code
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.exit(f"error: {options.model} cannot be loaded: {reason}")
    uvicorn.run(make_app(model), host=os.environ.get("MLFLOW_HOST", "127.0.0.1"), port=options.port)


if __name__ == "__main__":
    main()
