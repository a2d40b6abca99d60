"""Own notes under hostile names, from the folder where they lie to what is served."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
from pathlib import Path

import pytest
import requests
import soundfile

from notedecay.audio import write
from notedecay.data.pitch import hz, name
from tests import toy
from tests.registry.servers import serving
from tests.synthetic import damped

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

FOLDER = "[a] b's (1) #é"
PITCHES = range(60, 70)
MODEL = "models:/notedecay-bells@champion"


def make_own_notes(folder: Path) -> list[str]:
    """Two takes of each of ten pitches; their names hold what shells, stores and tables mind."""
    folder.mkdir()
    written = []
    for pitch in PITCHES:
        partials = [hz(pitch), 2.01 * hz(pitch), 3.03 * hz(pitch)]
        for take in ("v1 é", "[v2] 'b'; $c & #2"):
            note = damped(
                partials, [1.8, 1.2, 0.9], [1, 0.5, 0.3], seconds=1.5, rate=8000,
                seed=2 * pitch + len(take),
            )  # fmt: skip
            written.append(f"{name(pitch)} {take}.wav")
            write(folder / written[-1], note, 8000)
    return written


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("own")
    names = make_own_notes(top / FOLDER)
    root = toy.make_empty_project(top / "my project's [x] #1")
    fetched = toy.notedecay(root, "fetch", "--source", str(top / FOLDER), "--instrument", "bells")
    assert f"data/bells/{FOLDER}: 20 recordings added, 0 already there" in fetched.stdout
    shown = toy.notedecay(root, "notes", "bells").stdout
    assert "20 notes, 0 set aside" in shown
    toy.notedecay(root, "pin")
    bells = copy.deepcopy(toy.INSTRUMENT)
    bells["search"]["trials"] = 1
    toy.write_params(root, {"seed": 5, "instruments": {"bells": bells}})
    toy.run(root, "git", "add", "-A")
    toy.run(root, "git", "commit", "-qm", "own notes")
    toy.dvc(root, "repro")
    for file in names:
        assert (root / "data" / "bells" / FOLDER / file).is_file()
    return root


def test_every_take_is_a_note_of_its_own(project: Path) -> None:
    rows = json.loads((project / "results/bells/catalogue.json").read_text())
    assert len({row["id"] for row in rows}) == 20
    takes = {row["id"].split("/")[1] for row in rows}
    assert takes == {"v1-e", "v2-b-c-2"}
    assert all((project / "data" / row["file"]).is_file() for row in rows)


def test_takes_of_a_pitch_are_never_parted(project: Path) -> None:
    split = json.loads((project / "results/bells/split.json").read_text())
    pitches = {part: {id_.rpartition("/")[2] for id_ in ids} for part, ids in split.items()}
    assert sum(len(ids) for ids in split.values()) == 20
    assert not pitches["train"] & pitches["test"]
    assert not pitches["validation"] & pitches["test"]
    assert all(len(ids) == 2 * len(pitches[part]) for part, ids in split.items())


def test_the_report_names_a_command_that_can_be_pasted(project: Path) -> None:
    shown = toy.notedecay(project, "report").stdout
    command = re.search(r"generate:\s+(.*)", shown)
    assert command is not None
    toy.run(project, "bash", "-c", command[1].replace(".venv/bin/", ""))
    samples, rate = soundfile.read(project / "note.wav")
    assert rate == 4000
    assert len(samples) == round(0.33 * 4000) + 5 * 4000


def test_the_served_champion_gives_what_the_command_gives(project: Path, tmp_path: Path) -> None:
    prime = next((project / "data" / "bells" / FOLDER).glob("C4 v1*"))
    out = tmp_path / "o [u] t.wav"
    toy.notedecay(
        project, "generate", "--model", MODEL, "--prime", str(prime), "--seconds", "1",
        "--out", str(out),
    )  # fmt: skip
    row = {"prime": base64.b64encode(prime.read_bytes()).decode(), "seconds": 1.0}
    with serving(project, MODEL) as address:
        answer = requests.post(address, json={"dataframe_records": [row]}, timeout=60)
    audio = base64.b64decode(answer.json()["predictions"][0]["audio"])
    assert audio == out.read_bytes()
    assert soundfile.info(io.BytesIO(audio)).frames == round(0.33 * 4000) + 4000
