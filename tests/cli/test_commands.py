"""Commands on notes and recordings: what bad input gets, and what good input makes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import soundfile

from notedecay import audio
from tests import toy
from tests.cli.conftest import MODEL, NOTE, RATE, Answer, assert_refused, wav
from tests.synthetic import damped

KEPT = b"an earlier result"


@pytest.fixture
def generate(command, model, tmp_path) -> Callable[..., Answer]:
    """Runs ``notedecay generate`` over an earlier result."""
    (tmp_path / "out.wav").write_bytes(KEPT)

    def run(prime: Path, seconds: Any = 1, out: Path | None = None) -> Answer:
        out = out or tmp_path / "out.wav"
        return command(
            "generate", "--model", model, "--prime", prime, "--seconds", seconds, "--out", out
        )

    return run


def truncated(path: Path) -> None:
    whole = audio.encode(NOTE, RATE)
    path.write_bytes(whole[: len(whole) // 2])


PRIMES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda _: None, "no such file"),
    "folder": (Path.mkdir, "is a folder: name one recording in it"),
    "empty": (Path.touch, "is empty (0 bytes)"),
    "silent": (wav(np.zeros(RATE)), "is silent"),
    "truncated": (truncated, "is truncated"),
    "text": (lambda path: path.write_text("# not audio\n" * 99), "is not audio that can be read"),
    "nan": (wav(np.full(RATE, np.nan), subtype="FLOAT"), "NaN or infinite samples"),
    "infinite": (wav(np.full(RATE, np.inf), subtype="FLOAT"), "NaN or infinite samples"),
    "short": (wav(NOTE[:900]), "the prime needs 0.33 s: give a longer recording"),
    "no samples": (wav(NOTE[:0]), "no samples"),
}


@pytest.mark.parametrize("kind", PRIMES)
def test_a_prime_that_cannot_be_used_is_named_in_one_line(generate, tmp_path, kind):
    make, reason = PRIMES[kind]
    prime = tmp_path / f"[{kind}].wav"  # brackets are markup to the console
    make(prime)
    assert_refused(generate(prime), f"{prime}", reason)
    assert (tmp_path / "out.wav").read_bytes() == KEPT


def test_a_note_is_made_and_replaces_an_earlier_one(generate, prime, tmp_path):
    answer = generate(prime, seconds=0.5)
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out == f"{tmp_path / 'out.wav'}: 0.83 s at 4000 Hz, the prime included\n"
    made, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert (len(made), rate) == (1320 + 2000, RATE)
    assert not list(tmp_path.glob(".*"))  # nothing half made is left


def test_the_prime_is_never_written_over(generate, prime):
    before = prime.read_bytes()
    assert_refused(generate(prime, out=prime), str(prime), "is the prime itself")
    assert prime.read_bytes() == before


def test_stereo_at_48_khz_is_converted_and_that_is_said(generate, tmp_path):
    note = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=1.5, rate=48_000)
    wav(np.column_stack([note, note]), 48_000)(tmp_path / "stereo.wav")
    answer = generate(tmp_path / "stereo.wav")
    assert answer.code == 0
    assert answer.err.splitlines() == [
        f"{tmp_path / 'stereo.wav'}: stereo mixed to mono",
        f"{tmp_path / 'stereo.wav'}: resampled 48000 -> 4000 Hz",
    ]
    assert soundfile.info(tmp_path / "out.wav").channels == 1


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0", "1e9"])
def test_seconds_out_of_range_are_refused(generate, prime, tmp_path, seconds):
    assert_refused(generate(prime, seconds), "seconds must be above 0 and up to 60, got")
    assert (tmp_path / "out.wav").read_bytes() == KEPT


def test_seconds_that_are_no_number_are_refused(generate, prime):
    answer = generate(prime, "long")
    assert answer.code == 2
    assert "'--seconds'" in answer.err


def test_a_result_that_cannot_be_written_is_named(generate, prime, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.wav").mkdir()
    for out, reason in (
        (tmp_path / "out.mp3", "give a name that ends in .wav"),
        (tmp_path / "file/out.wav", "cannot be written"),
        (tmp_path / "folder.wav", "cannot be written"),
    ):
        assert_refused(generate(prime, out=out), str(out), reason)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "A3.wav", "esprit", "file", "folder.wav", "out.wav",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no model in"),
        ("{", "is damaged"),
        ('{"format": 2, "model": "espirt", "signal": {}, "config": {}}', "did you mean"),
    ],
)
def test_a_folder_without_a_model_is_named(generate, prime, model, content, reason):
    (model / "model.json").unlink()
    if content:
        (model / "model.json").write_text(content)
    assert_refused(generate(prime), str(model), reason)


@pytest.mark.parametrize(
    ("model", "hint"),
    [("painoo", "did you mean 'piano'?"), ("bells", "; known: guitar, piano")],
)
def test_a_name_of_no_instrument_gets_the_nearest(command, prime, tmp_path, model, hint):
    out = tmp_path / "x.wav"
    answer = command("generate", "--model", model, "--prime", prime, "--out", out)
    assert_refused(answer, f"no model '{model}'", hint)


@pytest.mark.parametrize("model", ["bells.zip", "none/bells", "./bells", "/none/bells"])
def test_a_path_that_is_not_there_names_no_instrument(command, prime, tmp_path, model):
    out = tmp_path / "x.wav"
    answer = command("generate", "--model", model, "--prime", prime, "--out", out)
    assert_refused(answer, f"no model in {Path(model)}", "there is no such folder")
    assert "did you mean" not in " ".join(answer.err.split())


def test_the_help_fills_its_lines_and_says_the_ranges(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = [line.strip() for line in command("paper", "--help").out.splitlines()]
    begun = next(line for line in shown if line.startswith("What is finished"))
    assert len(begun) > 70
    words = " ".join(command("generate", "--help").out.replace("│", " ").split())
    assert "up to 60" in words
    assert "1 to 100" in words


@pytest.mark.usefixtures("inside")
def test_a_server_that_does_not_answer_is_one_line(command, prime, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    out = ("--prime", prime, "--out", tmp_path / "x.wav")
    for arguments in (("generate", "--model", MODEL, *out), ("serve", "--model", MODEL), ("ui",)):
        answer = command(*arguments)
        assert_refused(answer, "http://127.0.0.1:9 does not answer", "unset MLFLOW_TRACKING_URI")
    assert not (tmp_path / "x.wav").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("fetch",),
        ("add", "banjo"),
        ("pin",),
        ("verify",),
        ("notes",),
        ("report",),
        ("ui",),
        ("stage", "prepare", "bells"),
        ("serve", "--model", MODEL),
    ],
    ids=lambda arguments: arguments[0],
)
def test_outside_a_project_every_command_says_so(command, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert_refused(command(*arguments), str(tmp_path), "is not inside a notedecay project")
    assert not list(tmp_path.iterdir())


def test_outside_a_project_a_registered_model_cannot_be_had(command, prime, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(prime.parent)
    answer = command("generate", "--model", MODEL, "--prime", prime, "--out", "x.wav")
    assert_refused(answer, "is not inside a notedecay project")


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stage", "serach", "bells"), ["unknown stage 'serach'; did you mean 'search'?"]),
        (("stage", "prepare", "bels"), ["no instrument 'bels'; did you mean 'bells'?"]),
        (("stage", "search", "bells"), ["clips.npz: no such clips: run the prepare stage first"]),
        (("notes", "bels"), ["no instrument 'bels'; did you mean 'bells'?"]),
        (("report",), ["nothing is registered for bells yet: run make repro"]),
        (("fetch", "--source", "pianoo"), ["no source 'pianoo'; did you mean 'piano'?"]),
        (("fetch", "--source", "/none/here"), ["/none/here: no such folder of recordings"]),
        (("verify", "bels"), ["no instrument 'bels'; did you mean 'bells'?"]),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_does_not_exist_is_one_line(command, arguments, words):
    assert_refused(command(*arguments), *words)


def test_a_folder_without_git_cannot_be_pinned_and_says_why(command, monkeypatch, tmp_path):
    root = tmp_path / "un zipped"
    toy.make_notes(root / "data/bells/own", range(60, 61))
    for name in ("params.yaml", "dvc.yaml"):
        (root / name).touch()
    (root / ".dvc").mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    answer = command("pin")
    assert_refused(answer, "not a git repository", f"run git init '{root}'")


def test_the_installed_command_ends_with_code_2_and_no_traceback(inside):
    done = subprocess.run(
        ["notedecay", "fetch", "--source", "pianoo"],
        cwd=inside, env=toy.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert_refused(Answer(done.returncode, done.stdout, done.stderr), "no source 'pianoo'")


def test_notes_shows_a_table_and_draws_a_picture_where_it_is_asked_for(command, inside, tmp_path):
    answer = command("notes", "bells", "--picture", tmp_path / "bells.png")
    assert answer.code == 0
    rows = [line for line in answer.out.splitlines() if "bells/own/" in line]
    assert [row.split("/own/")[1].split()[0] for row in rows] == ["C4", "Db4", "D4", "Eb4"]
    assert "│ 261." in rows[0]
    assert answer.out.splitlines()[-2:] == ["4 notes, 0 set aside", f"{tmp_path / 'bells.png'}"]
    assert matplotlib.image.imread(tmp_path / "bells.png").std() > 0.05
    before = sorted(inside.iterdir())
    assert command("notes", "bells").out.splitlines()[-1] == "4 notes, 0 set aside"
    assert sorted(inside.iterdir()) == before


def test_a_folder_of_one_s_own_is_taken_in_pinned_and_verified(command, inside, tmp_path):
    own = tmp_path / "parlour"
    toy.make_notes(own, range(50, 52))
    (own / "readme.txt").write_text("recorded at home")
    truncated(own / "E3.wav")
    assert_refused(command("fetch", "--source", own), str(own), "--instrument banjo")
    fetched = command("fetch", "--source", own, "--instrument", "banjo")
    assert fetched.code == 0
    assert fetched.out.splitlines() == [
        f"left out: {own / 'E3.wav'} is truncated: fetch or export it again",
        "left out: 1 file of other kinds than recordings: readme.txt",
        f"{inside}/data/banjo/parlour: 2 recordings added, 0 already there",
        "params.yaml has no instrument 'banjo' yet: run 'notedecay add banjo'",
        "data/ holds 2 files not pinned yet: 'notedecay pin' accepts it as it is",
    ]
    assert_refused(command("verify"), "not pinned: banjo/parlour/D3.wav")
    assert command("verify", "bells").out == "4 files are what data.dvc pins\n"
    assert command("pin").out == "pinned 6 files; commit data.dvc and data.md5\n"
    assert command("verify").out == "6 files are what data.dvc pins\n"
    assert (inside / "data/banjo/parlour/D3.wav").read_bytes() == (own / "D3.wav").read_bytes()
    toy.make_notes(own / "more", range(53, 54))
    again = command("fetch", "--source", own, "--instrument", "banjo")
    assert f"{inside}/data/banjo/parlour: 1 recording added, 2 already there" in again.out
    assert "data/ holds 1 file not pinned yet" in again.out
