"""The command ``notedecay``."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from notedecay.cli.messages import line_of, plain
from notedecay.core.commands import find_children, pasteable
from notedecay.core.config import load_params
from notedecay.core.errors import UserError, count, nearest
from notedecay.core.project import find_project

app = typer.Typer(
    help="Learn how the sound of a note dies away, and continue it.",
    rich_markup_mode="markdown",  # fills the lines of a paragraph anew
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

CORES = os.cpu_count() or 1
Processes = Annotated[int, typer.Option(min=1, help="Trainings at once; one per core by default.")]
Instruments = Annotated[
    list[str] | None, typer.Argument(help="As in params.yaml; all of them by default.")
]
Port = Annotated[int, typer.Option(min=1, max=65535)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def _say(line: str) -> None:
    """Print a line as it is: its paths are neither broken nor taken for markup."""
    out.print(plain(line), markup=False, soft_wrap=True)


def main() -> None:
    """Run the command; what the user can mend is one line and exit code 2."""
    find_children()
    try:
        app()
    except Exception as error:
        line = line_of(error)
        if line is None:
            raise
        err.print(f"[red]error:[/] {escape(plain(line))}", soft_wrap=True)
        sys.exit(2)


@app.command()
def fetch(
    source: Annotated[
        list[str] | None,
        typer.Option(help="piano, guitar, flute, iowa, or a folder of your own."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="What a folder of your own holds, such as 'banjo'.")
    ] = None,
) -> None:
    """Bring recordings into data/ and check them against data.dvc."""
    from notedecay.data.sources import lock, packages

    project = find_project()
    if source is None:
        if not _matches(project.root):
            pinned = packages.packages_of(lock.read_lock(project.root / lock.LIST).files)
            wrong = lock.damaged(project.root)
            packages.fetch(pinned, project.data, say=_say, again=wrong)
        _say(f"data/: {lock.verify(project.root)} files, as data.dvc pins them")
        return
    for name in source:
        _bring(name, instrument, project.data)
    if line := lock.unlike(project.root):
        _say(line)


def _bring(source: str, instrument: str | None, data: Path) -> None:
    """A named source, or a folder of the user's own."""
    from notedecay.data.sources import folder, packages

    if not Path(source).is_dir():
        if Path(source).name != source:
            raise UserError(f"{source}: no such folder of recordings")
        packages.fetch([source], data, say=_say)
        return
    if instrument is None:
        command = pasteable("notedecay", "fetch", "--source", source, "--instrument", "banjo")
        raise UserError(f"say what {source} holds: {command}")
    adopted = folder.import_folder(Path(source), instrument, data)
    for line in adopted.left_out:
        _say(f"left out: {line}")
    for line in adopted.kept:
        _say(f"still there: {line}")
    added = count(adopted.added, "recording")
    _say(f"{adopted.folder}: {added} added, {adopted.known} already there")


def _matches(root: Path) -> bool:
    from notedecay.data.sources import lock

    try:
        lock.verify(root)
    except UserError:
        return False
    return True


@app.command()
def pin() -> None:
    """Accept data/ as it is: write data.dvc and data.md5."""
    from notedecay.data.sources import lock as pins

    project = find_project()
    count, dropped = pins.accept(project.root, lambda: _dvc_add(project.root))
    for folder in dropped:
        _say(f"no longer pinned, for data/ lacks them: {folder}")
    _say(f"pinned {count} files; commit data.dvc and data.md5")


def _dvc_add(root: Path) -> None:
    command = [sys.executable, "-m", "dvc", "add", "data"]  # --quiet would hide its reason
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode:
        said = [line for line in answer.stderr.splitlines() if line.strip()]
        reasons = [line for line in said if line.startswith("ERROR")] or said[-1:]
        reason = " ".join(reasons).removeprefix("ERROR: ")
        hint = f"; run {pasteable('git', 'init', root)}" if "not a git repo" in reason else ""
        raise UserError(f"dvc add data failed: {reason}{hint}")


@app.command()
def verify(instrument: Annotated[str | None, typer.Argument()] = None) -> None:
    """Check data/ against data.dvc, byte for byte."""
    from notedecay.data.sources import lock as pins

    count = pins.verify(find_project().root, instrument)
    _say(f"{count} files are what data.dvc pins")


@app.command()
def notes(
    instrument: Annotated[str | None, typer.Argument()] = None,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("notes.png"),
) -> None:
    """Show the catalogue: every note, its tuning and decay, and why some are set aside."""
    from notedecay.reports.catalogue import show_notes

    project = find_project()
    show_notes(project, load_params(project.params), instrument, picture, out)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="prepare, search, train, evaluate or register.")],
    instrument: Annotated[str, typer.Argument(help="As in params.yaml.")],
) -> None:
    """Run one stage of the pipeline; dvc.yaml calls this."""
    # The nets are small: a second thread gains little on an idle machine, and on a busy one
    # the two wait for each other so long that an epoch takes ten times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from notedecay.pipeline import STAGES
    from notedecay.pipeline.checking import check_devices, load_checked

    if name not in STAGES:
        raise UserError(f"unknown stage '{name}'{nearest(name, STAGES)}")
    project = find_project()
    params = load_checked(project.params)
    params.instrument(instrument)  # before a bar is drawn
    check_devices(project.params, params, instrument, name)
    _say(f"{instrument}: {STAGES[name](project, params, instrument, out)}")


@app.command()
def report() -> None:
    """Show who is champion, and how all continuators do on seen and unseen notes."""
    from notedecay.reports.terminal import show

    project = find_project()
    show(project, load_params(project.params), out)


@app.command()
def generate(
    model: Annotated[str, typer.Option(help="Such as models:/notedecay-piano@champion.")],
    prime: Annotated[Path, typer.Option(help="A recording; its first 330 ms are heard.")],
    out_file: Annotated[Path, typer.Option("--out", help="Where the WAV goes.")],
    seconds: Annotated[float, typer.Option(help="Length of the continuation (s), up to 60.")] = 5.0,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Draw 1 to 100 from the range that the prime leaves open: OUT-1.wav, OUT-2.wav."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of --samples.")] = 0,
) -> None:
    """Continue a note: prime in, the whole note out."""
    import notedecay
    from notedecay import audio

    if out_file.suffix.lower() != ".wav":
        raise UserError(f"{out_file}: the result is a WAV file; give a name that ends in .wav")
    if out_file.resolve() == prime.resolve():
        raise UserError(f"{out_file} is the prime itself; give the result another name")
    recording, loaded = audio.read_head(prime), notedecay.load(model)
    if samples is None:
        made = {out_file: notedecay.generate(loaded, recording, seconds)}
    else:
        drawn = notedecay.draw(loaded, recording, seconds, count=samples, seed=seed)
        made = {
            out_file.with_stem(f"{out_file.stem}-{number}"): one
            for number, one in enumerate(drawn, 1)
        }
    for conversion in next(iter(made.values())).conversions:
        err.print(f"{prime}: {conversion}", markup=False, soft_wrap=True)
    for path, one in made.items():
        audio.write(path, one.samples, one.rate)
        total = len(one.samples) / one.rate
        _say(f"{path}: {total:.2f} s at {one.rate} Hz, the prime included")


@app.command()
def evaluate(
    instrument: Instruments = None,
    again: Annotated[
        str | None, typer.Option(help="Why these notes must be opened for other competitors.")
    ] = None,
    processes: Processes = CORES,
    device: Device = "auto",
) -> None:
    """Make the final table: every note unseen once, cross-validated by pitch.

    Run it once, in the end. Choices are made on validation notes, by the search; a second look
    with other competitors needs a reason, which is kept beside the table.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from notedecay.studies.crossval.command import Choice, run_evaluation

    project = find_project()
    choice = Choice(tuple(instrument or ()), again, processes, device)
    for line in run_evaluation(project, load_params(project.params), choice, out):
        _say(line)


@app.command()
def ablate(
    instrument: Instruments = None,
    idea: Annotated[
        list[str] | None, typer.Option(help="Only this idea; may be given several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often all is trained anew.")] = 3,
    processes: Processes = CORES,
    device: Device = "auto",
) -> None:
    """Say what each idea of the best model buys, on train and validation notes alone."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from notedecay.studies.ablation.command import Choice, run_ablation

    project = find_project()
    choice = Choice(tuple(instrument or ()), tuple(idea or ()), seeds, processes, device)
    for line in run_ablation(project, load_params(project.params), choice, out):
        _say(line)


@app.command()
def paper(
    quick: Annotated[
        bool, typer.Option("--quick", help="The main experiments, small: under 20 minutes.")
    ] = False,
    reduced: Annotated[
        bool, typer.Option("--reduced", help="All experiments at a quarter of the units: hours.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment; may be given several times.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Another data folder, with the paper's recordings.")
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="The authors' own audio, to be measured beside ours.")
    ] = None,
    processes: Processes = CORES,
    device: Device = "auto",
) -> None:
    """Run the paper's experiments, and write docs/paper.md and a page to listen.

    What is finished is not done again; interrupt and call again at will. Without --quick or
    --reduced everything is run at the paper's own size, which wants a GPU and a day.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from notedecay.studies.paper.command import Choice, run_paper
    from notedecay.studies.paper.plan import FULL, QUICK, REDUCED

    if quick and reduced:
        raise UserError("choose --quick or --reduced, not both")
    project = find_project()
    choice = Choice(
        scale=QUICK if quick else REDUCED if reduced else FULL,
        only=tuple(only or ()),
        data=data or project.data,
        published=published,
        processes=processes,
        device=device,
    )
    for line in run_paper(project, choice, out):
        _say(line)


@app.command()
def ui(port: Port = 5000) -> None:
    """Open the MLflow UI on the project's runs.

    Where MLFLOW_TRACKING_URI names a server, its pages are named and none is started.
    """
    from notedecay.tracking import store

    mlruns = find_project().mlruns
    client = store.connect(mlruns)
    uri = store.tracking_uri(mlruns)
    if uri.startswith(("http://", "https://")):
        for line in store.pages(client, uri.rstrip("/")):
            _say(line)
        _say("MLFLOW_TRACKING_URI names this server, which has a UI of its own: none is started")
        return
    _refuse_taken(port)
    for line in store.pages(client, f"http://127.0.0.1:{port}"):
        _say(line)
    root = ("--default-artifact-root", store.artifacts(mlruns).as_uri()) if store.is_local() else ()
    _run(uri, "-m", "mlflow", "ui", "--port", str(port), "--backend-store-uri", uri, *root)


@app.command()
def serve(
    model: Annotated[str, typer.Option(help="Such as models:/notedecay-piano@champion.")],
    port: Port = 5001,
) -> None:
    """Serve a model over REST, as 'mlflow models serve' does."""
    from notedecay.registry import models
    from notedecay.tracking import store

    mlruns = find_project().mlruns
    client = store.connect(mlruns)
    models.folder_of(client, models.find(client, model))  # damaged files are one line here
    _refuse_taken(port)
    # A file, and no module: that would import today's notedecay, not the model's own.
    server = Path(models.__file__).parents[1] / "serving/app.py"
    _run(store.tracking_uri(mlruns), "-P", str(server), model, "--port", str(port))


def _refuse_taken(port: int) -> None:
    """What MLflow says of such a port is a traceback, or nothing."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = (
                "is taken"
                if error.errno == errno.EADDRINUSE
                else f"cannot be had ({error.strerror})"
            )
            raise UserError(f"port {port} {why}: choose another with --port") from error


def _run(uri: str, *arguments: str) -> None:
    """Become another Python program, which uses the same tracking store."""
    os.environ["MLFLOW_TRACKING_URI"] = uri
    os.execv(sys.executable, [sys.executable, *arguments])
