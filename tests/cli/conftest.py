"""Runs the command as a shell would, in a toy project."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from notedecay.cli import main
from notedecay.models import Signal, create
from tests import toy
from tests.synthetic import damped

RATE = 4000
NOTE = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=1.5, rate=RATE)
MODEL = "models:/notedecay-bells@champion"


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys, monkeypatch) -> Callable[..., Answer]:
    """Runs ``notedecay`` with arguments, as a shell would."""

    def run(*arguments: Any) -> Answer:
        monkeypatch.setattr(sys, "argv", ["notedecay", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Answer(ended.value.code or 0, said.out, said.err)

    return run


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "esprit"
    folder.mkdir()
    create("esprit", Signal(instrument="bells", rate=RATE), {"order": 8}).save(folder)
    return folder


def assert_refused(answer: Answer, *words: str) -> None:
    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert all(word in answer.err for word in words), answer.err


def wav(content: np.ndarray, rate: int = RATE, subtype: str = "PCM_24") -> Callable[[Path], None]:
    return lambda path: soundfile.write(path, content, rate, subtype=subtype, format="WAV")


@pytest.fixture
def prime(tmp_path) -> Path:
    wav(NOTE)(tmp_path / "A3.wav")
    return tmp_path / "A3.wav"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return toy.make_project(tmp_path_factory.mktemp("toy") / "project", range(60, 64))


@pytest.fixture
def inside(project, monkeypatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(project)
    return project
