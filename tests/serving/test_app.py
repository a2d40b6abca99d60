"""The REST server: bad requests get one line and the row, and nothing of the server."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.models import Signal, create
from notedecay.registry import versions
from notedecay.serving import app
from notedecay.serving.app import scoring_server
from notedecay.tracking.runs import Tracker
from tests.synthetic import damped

pytestmark = pytest.mark.end_to_end

RATE = 2000
NAME = "notedecay-bells"
NOTE = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=1.5, rate=RATE)
PRIME = base64.b64encode(audio.encode(NOTE, RATE)).decode()
ROW = {"prime": PRIME, "seconds": 0.1}
JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def model(folder):
    tracker = Tracker(folder / "mlruns", "bells", {})
    (folder / "esprit").mkdir()
    signal = Signal(instrument="bells", rate=RATE)
    create("esprit", signal, {"order": 8}).save(folder / "esprit")
    with tracker.run("baseline esprit", "baseline") as run:
        pass
    version = versions.register(
        tracker.client, folder / "esprit", run.id, NAME, {"model": "esprit"}
    )
    return mlflow.pyfunc.load_model(f"models:/{NAME}/{version.version}")


def ask(model, body: Any, content_type: str = JSON) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = app.answer(model, content, content_type)
    return made.status_code, json.loads(made.body)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(rows).to_parquet(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"dataframe_records": [ROW]}, JSON),
        ({"dataframe_records": [{**ROW, "other": 3}]}, "application/json; charset=utf-8"),
        ({"dataframe_split": {"columns": ["seconds", "prime"], "data": [[0.1, PRIME]]}}, JSON),
        ({"instances": [ROW]}, JSON),
        ({"instances": {"prime": [PRIME], "seconds": [0.1]}}, JSON),
        ({"inputs": ROW}, JSON),
        ({"inputs": [ROW]}, JSON),
        ({"inputs": {"prime": [PRIME], "seconds": [0.1]}}, JSON),
        ({"inputs": [ROW], "params": {"a": 1}}, JSON),
        (f"prime,seconds\n{PRIME},0.1\n".encode(), "text/csv"),
        (parquet([ROW]), PARQUET),
    ],
)
def test_every_shape_gets_the_answer_of_mlflow_s_own_server(model, body, content_type):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    schema = model.metadata.get_input_schema()
    own = scoring_server.invocations(content, content_type, model, schema)
    made = app.answer(model, content, content_type)
    assert (made.status_code, made.body.decode()) == (200, own.response)
    audio_sent = base64.b64decode(json.loads(made.body)["predictions"][0]["audio"])
    assert audio.read_bytes(audio_sent).samples.shape == (1, 660 + 200)


@pytest.mark.parametrize("seconds", [1, 1.0, True, "1", " 1.0 "])
def test_every_type_of_number_is_a_number(model, seconds):
    status, made = ask(model, {"dataframe_records": [{**ROW, "seconds": seconds}]})
    assert (status, len(base64.b64decode(made["predictions"][0]["audio"]))) == (200, 44 + 3 * 2660)


def rows(*wrong: Any) -> list[dict[str, Any]]:
    """A good row, then one that differs from it."""
    return [ROW, {**ROW, **dict([wrong])}]


PRIME_IS_NOT_TEXT = "row 2 of 2: prime must be text, base64 of a recording, got"
SECONDS_ARE_NO_NUMBER = "row 2 of 2: seconds must be a number, got"
OUT_OF_RANGE = "row 2 of 2: seconds must be above 0 and up to 60, got"
REFUSED = {
    "prime null": (rows("prime", None), PRIME_IS_NOT_TEXT),
    "prime number": (rows("prime", 3), PRIME_IS_NOT_TEXT),
    "prime object": (rows("prime", {"a": 1}), PRIME_IS_NOT_TEXT),
    "prime list": (rows("prime", [PRIME]), PRIME_IS_NOT_TEXT),
    "prime garbage": (rows("prime", "!"), "row 2 of 2: prime is not base64"),
    "prime no audio": (rows("prime", "UklGRg=="), "row 2 of 2: the audio sent is not audio"),
    "prime empty": (rows("prime", ""), "row 2 of 2: the audio sent is empty"),
    "seconds null": (rows("seconds", None), SECONDS_ARE_NO_NUMBER),
    "seconds text": (rows("seconds", "long"), SECONDS_ARE_NO_NUMBER),
    "seconds list": (rows("seconds", [1]), SECONDS_ARE_NO_NUMBER),
    "seconds object": (rows("seconds", {}), SECONDS_ARE_NO_NUMBER),
    "seconds huge": (rows("seconds", 10**400), SECONDS_ARE_NO_NUMBER),
    "seconds long": (rows("seconds", 1e9), OUT_OF_RANGE),
    "seconds nan": (rows("seconds", float("nan")), OUT_OF_RANGE),
    "seconds negative": (rows("seconds", -1), OUT_OF_RANGE),
    "other name": (
        [ROW, {"prime": PRIME, "second": 1}],
        "row 2 of 2: has no 'seconds', which is a number; 'second' must be called 'seconds'",
    ),
    "missing": ([{"seconds": 1}], "row 1 of 1: has no 'prime'"),
    "no rows": ([], "a request holds 1 to 16 rows, got 0"),
    "many rows": ([ROW] * 17, "a request holds 1 to 16 rows, got 17"),
}


def split(table: list[dict[str, Any]]) -> dict[str, Any]:
    return {"columns": list(table[-1]), "data": [list(row.values()) for row in table]}


UNLIKE_ROWS = ("other name", "missing", "no rows")
"""Which a table of columns and data cannot be."""
CASES = [
    *((shape, case) for shape in ("dataframe_records", "instances", "inputs") for case in REFUSED),
    *(("dataframe_split", case) for case in REFUSED if case not in UNLIKE_ROWS),
]


@pytest.mark.parametrize(("shape", "case"), CASES)
def test_a_bad_row_gets_one_line_that_names_it(model, folder, shape, case):
    table, line = REFUSED[case]
    body = {shape: split(table) if shape == "dataframe_split" else table}
    assert_one_line(*ask(model, body), folder, line)


def assert_one_line(status: int, made: Any, folder: Path, line: str) -> None:
    assert status == 400, made
    assert made.keys() == {"error_code", "message"}
    assert line in made["message"]
    text = json.dumps(made)
    assert "\\n" not in text
    for secret in ("Traceback", "File ", "site-packages", str(folder), str(Path.home()), ".py"):
        assert secret not in text
    assert len(text) < 400


@pytest.mark.parametrize(
    ("body", "content_type", "line"),
    [
        (b"{", JSON, "the body is not JSON"),
        (b"", JSON, "the body is not JSON"),
        (b"\xff\xfe", JSON, "the body is not JSON"),
        (b"[" * 100_000, JSON, "the body is not JSON"),
        ([ROW], JSON, "the body needs one of dataframe_records, dataframe_split"),
        ({"records": [ROW]}, JSON, "the body needs one of"),
        ({"inputs": [ROW], "instances": [ROW]}, JSON, "the body needs one of"),
        ({"inputs": "/etc/passwd"}, JSON, "inputs is no list of rows"),
        ({"instances": [[PRIME, 1]]}, JSON, "instances is no list of rows"),
        ({"dataframe_records": None}, JSON, "dataframe_records is no list of rows"),
        ({"dataframe_split": {"data": [[PRIME, 1]]}}, JSON, 'needs "columns" and "data"'),
        ({"dataframe_split": {"columns": ["prime", "seconds"], "data": [[PRIME, 1], [PRIME]]}},
         JSON, "row 2 of 2: is no list of 2 values"),
        ({"inputs": {"prime": [PRIME, PRIME], "seconds": [1]}}, JSON, "different lengths: prime 2"),
        ({"inputs": [ROW], "messages": []}, JSON, "the body is not understood"),
        (b"", "text/csv", "the body is not understood"),
        (b"a,b\n1,2", "text/csv", "the body is not understood"),
        (b"\xff", "text/csv", "the body is not understood"),
        (b"prime,seconds\n!,1", "text/csv", "row 1 of 1: prime is not base64"),
        (b"x", PARQUET, "the body is not understood"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_table_gets_one_line(model, folder, body, content_type, line):
    assert_one_line(*ask(model, body, content_type), folder, line)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=latin1"])
def test_another_type_of_content_is_refused(model, content_type):
    status, made = ask(model, {"inputs": [ROW]}, content_type)
    assert status == 415
    assert made["message"] == f"send application/json in UTF-8, not '{content_type}'"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["prime", "seconds", "columns", "data"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*app.SHAPES, "params"]), JSON_VALUES, max_size=2))
def test_any_json_gets_an_answer_without_a_trace(model, body):
    status, made = ask(model, body)
    assert status in (200, 400)
    assert status == 200 or made.keys() == {"error_code", "message"}


def test_a_model_that_fails_says_nothing_of_the_server(model, folder, monkeypatch, caplog):
    def fails(*_: object, **__: object) -> None:
        raise OSError(f"{folder}/weights are gone")

    monkeypatch.setattr(model._model_impl.python_model, "_audio", fails)
    status, made = ask(model, {"inputs": [ROW]})
    assert status == 500
    assert made == {
        "error_code": "INTERNAL_ERROR",
        "message": "the model failed on this request; the server's log says why",
    }
    assert "weights are gone" in caplog.text


def test_mlflow_s_own_server_gives_the_line_alone_too(model):
    body = json.dumps({"inputs": rows("seconds", 99)}).encode()
    with pytest.raises(mlflow.MlflowException) as caught:
        scoring_server.invocations(body, JSON, model, model.metadata.get_input_schema())
    assert caught.value.get_http_status_code() == 400
    assert json.loads(caught.value.serialize_as_json()) == {
        "error_code": "BAD_REQUEST",
        "message": "row 2 of 2: seconds must be above 0 and up to 60, got 99",
    }


@pytest.fixture(scope="module")
def address(model) -> Iterator[str]:
    config = uvicorn.Config(app.make_app(model), port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_paths_are_those_of_mlflow_s_server(address):
    for path in ("ping", "health", "version"):
        assert requests.get(f"{address}/{path}", timeout=10).status_code == 200
    assert requests.get(f"{address}/version", timeout=10).text == mlflow.__version__
    answer = requests.post(f"{address}/invocations", json={"inputs": [ROW]}, timeout=60)
    assert len(base64.b64decode(answer.json()["predictions"][0]["audio"])) == 44 + 3 * 860
    refused = requests.post(f"{address}/invocations", data=b"x", timeout=10)
    assert refused.status_code == 415


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_not_parsed(address, monkeypatch, chunked):
    def parse(*_: object) -> None:
        raise AssertionError("the body was parsed")

    monkeypatch.setattr(app, "answer", parse)
    body = b'{"inputs": [' + b" " * app.MAX_BODY_BYTES + b"]}"
    sent = (body[i : i + 2**20] for i in range(0, len(body), 2**20)) if chunked else body
    answer = requests.post(
        f"{address}/invocations", data=sent, headers={"Content-Type": JSON}, timeout=60
    )
    assert answer.status_code == 413
    assert answer.json()["message"] == "the body is larger than 32 MiB: send fewer rows"


def test_the_samples_are_those_of_the_call(model):
    _, made = ask(model, {"inputs": [{"prime": PRIME, "seconds": 0.25}]})
    signal = Signal(instrument="bells", rate=RATE)
    esprit = create("esprit", signal, {"order": 8})
    sent = audio.read_bytes(base64.b64decode(made["predictions"][0]["audio"])).samples[0]
    prime = sent[: signal.prime_samples]
    np.testing.assert_allclose(sent[len(prime) :], esprit.continue_prime(prime, 500), atol=2e-4)
