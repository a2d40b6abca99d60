"""The command itself: version, help, quiet, completion, interruption, and what it imports."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from notedecay import audio
from notedecay.cli import GROUPS, main
from notedecay.cli.imports import uncollected
from notedecay.cli.output import AGAIN, resumable, set_quiet
from notedecay.models import Signal, create
from tests import toy
from tests.synthetic import damped
from tests.test_champions import register

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``notedecay`` with arguments; gives its code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["notedecay", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which nothing was run."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "dvc.yaml").touch()
    (root / "params.yaml").write_text((toy.ROOT / "params.yaml").read_text())
    monkeypatch.chdir(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return root


@pytest.fixture
def prime(tmp_path: Path) -> Path:
    note = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=1.5, rate=8000)
    audio.write(tmp_path / "A3.wav", note, 8000)
    return tmp_path / "A3.wav"


def test_the_version(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("notedecay 0.")


def test_the_help_lists_every_command_in_its_group(run: Run) -> None:
    _, out, _ = run("--help")
    places = [out.index(f"\n{group}:\n") for group in GROUPS]
    assert places == sorted(places)
    for group, commands in GROUPS.items():
        listed = out.split(f"\n{group}:\n")[1].split("\n\n")[0]
        for command in commands:
            assert f"\n  {command.__name__} " in f"\n{listed}"


LIGHT = """
import sys
sys.argv = ["notedecay", *sys.argv[1:]]
if sys.argv[1:]:
    from notedecay.cli import main
    try:
        main()
    except SystemExit:
        pass
else:
    import notedecay
print(*{name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names))
"""


def imported(*arguments: str) -> set[str]:
    """Packages outside of the standard library that a call imports."""
    ask = [sys.executable, "-c", "import sys; print(sys.path)"]  # other tests add to ours
    path = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    program = f"import sys; sys.path += {path}\n{LIGHT}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split()) - {"__main__"}


def test_what_the_package_and_its_help_import_is_light() -> None:
    assert imported() == {"notedecay"}
    assert imported("--help") <= {"notedecay", "typer", "annotated_doc", "shellingham"}
    # Typer reads options with pydantic.
    heavy = {"numpy", "scipy", "torch", "mlflow", "yaml", "rich"}
    assert not imported("generate", "--help") & heavy


UNUSED = {
    "alembic", "dvc", "fastapi", "librosa", "matplotlib", "mlflow", "numba", "optuna", "pandas",
    "psutil", "pyarrow", "rich", "sklearn", "sqlalchemy",
}  # fmt: skip


def continued(prime: Path, model: object) -> set[str]:
    """Packages that a note's continuation by a model imports."""
    out = prime.with_name("out.wav")
    arguments = ("--model", model, "--prime", prime, "--out", out, "--seconds", "0.1")
    packages = imported("generate", *map(str, arguments))
    assert out.is_file()
    return packages


def test_to_continue_a_note_imports_neither_tracking_nor_pictures(
    project: Path, prime: Path
) -> None:
    folder = project / "esprit"
    folder.mkdir()
    create("esprit", Signal(instrument="bells", rate=2000), {"order": 8}).save(folder)
    assert not continued(prime, folder) & UNUSED
    assert not continued(prime, "piano") & UNUSED  # shipped


def test_nor_does_the_champion_of_the_project(project: Path, prime: Path) -> None:
    register(project, "bells", "champion")
    assert not continued(prime, "bells") & UNUSED
    assert not continued(prime, "models:/notedecay-bells/1") & UNUSED


def test_fetch_imports_nothing_that_reads_sound_where_all_is_there(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data.dvc").write_text("outs:\n")
    (project / "data.md5").write_text("# outs:\n")
    heavy = {"numpy", "scipy", "torch", "soundfile", "requests", "mlflow", "dvc"}
    assert not imported("fetch") & heavy


def test_a_note_is_continued_in_one_thread_unless_the_user_says_otherwise(
    run: Run, prime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("generate", "--model", "piano", "--prime", prime, "--out", prime.parent / "o.wav")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run(*arguments)[0] == 0
    assert os.environ["OMP_NUM_THREADS"] == "2"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert run(*arguments)[0] == 0
    assert os.environ.pop("OMP_NUM_THREADS") == "1"


def test_the_garbage_collector_waits_for_the_imports() -> None:
    kept = gc.get_freeze_count()
    with uncollected():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= kept + len(made)
    gc.unfreeze()


def test_completion_can_be_installed(run: Run) -> None:
    assert "--install-completion" in run("--help")[1]
    environment = {
        **toy.environment(), "_NOTEDECAY_COMPLETE": "complete_bash",
        "COMP_WORDS": "notedecay gen", "COMP_CWORD": "1",
    }  # fmt: skip
    done = subprocess.run(
        ["notedecay"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["generate"]


def test_a_shipped_model_continues_a_note_outside_a_project(
    run: Run, prime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prime.parent)
    arguments = ("generate", "--model", "piano", "--prime", "A3.wav", "--out", "out.wav")
    code, out, err = run(*arguments, "--seconds", "0.5")
    assert code == 0, err
    assert out == "out.wav: 0.83 s at 8400 Hz, the prime included\n"
    assert err.splitlines()[0].startswith("piano: the model shipped with notedecay (")
    code, out, err = run("--quiet", *arguments)
    assert (code, out, err) == (0, "out.wav\n", "")


def test_quiet_hides_remarks_and_no_errors(run: Run, project: Path) -> None:
    assert run("--quiet", "add", "banjo")[:2] == (0, "")
    code, out, err = run("--quiet", "add", "banjo")
    assert (code, out) == (2, "")
    assert "has an instrument 'banjo' already" in err
    assert "banjo" in yaml.safe_load((project / "params.yaml").read_text())["instruments"]
    set_quiet(False)


def test_an_instrument_is_added_and_the_rest_of_the_file_stays(run: Run, project: Path) -> None:
    before = (project / "params.yaml").read_text()
    code, out, _ = run("add", "banjo")
    assert code == 0
    assert (project / "params.yaml").read_text() == f"{before}  banjo: {{}}\n"
    assert len(out.splitlines()) == 1
    assert f"put recordings in {project}/data/banjo" in out
    assert "'notedecay fetch --source FOLDER --instrument banjo'" in out
    (project / "data/oud/own").mkdir(parents=True)
    assert "run 'notedecay pin', then 'make repro'" in run("add", "oud")[1]


@pytest.mark.parametrize(
    ("name", "line"),
    [("piano", "has an instrument 'piano' already"), ("a b", "cannot name an instrument")],
)
def test_a_name_that_cannot_be_added_is_refused(
    run: Run, project: Path, name: str, line: str
) -> None:
    before = (project / "params.yaml").read_text()
    code, _, err = run("add", name)
    assert code == 2
    assert line in err
    assert err.count("\n") == 1
    assert (project / "params.yaml").read_text() == before


def test_a_file_that_cannot_be_edited_says_what_to_write(run: Run, project: Path) -> None:
    values = yaml.safe_load((project / "params.yaml").read_text())
    text = yaml.safe_dump(values, default_flow_style=True)
    (project / "params.yaml").write_text(text)
    code, _, err = run("add", "banjo")
    assert code == 2
    assert "write 'banjo: {}' below 'instruments:' yourself" in err
    assert (project / "params.yaml").read_text() == text


def test_an_interruption_says_that_the_command_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), resumable():
        raise KeyboardInterrupt
    assert capsys.readouterr().err.splitlines()[-1] == AGAIN


WAITS = """
import sys, time
from notedecay.pipeline import recordings
def wait(*_):
    print("begun", flush=True)
    time.sleep(60)
recordings.fetch_pinned = wait
sys.argv = ["notedecay", "fetch"]
from notedecay.cli import main
main()
"""


def test_ctrl_c_ends_with_code_130_and_no_traceback(project: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WAITS], cwd=project, text=True, env=dict(os.environ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert err.split("\n") == ["", AGAIN, ""]
