"""The table at the end of ``make repro``: the champion, and the measures of every model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from notedecay.core.commands import pasteable
from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.core.schemas import REPORTED
from notedecay.core.tables import read_json, read_rows

COLUMNS = {
    "score": ("score", "{:.3f}"),
    "decay_ok": ("decay ok", "{:.2f}"),
    "missing": ("missing", "{:.2f}"),
    "pitch_cents": ("cents", "{:.1f}"),
    "envelope_db": ("envelope", "{:.1f}"),
    "excess_noise_db": ("noise", "{:+.1f}"),
    "join_snr_db": ("join", "{:.1f}"),
}


def show(project: Project, params: Params, console: Console) -> None:
    """Print a table per instrument, and the two commands that come next.

    Parameters
    ----------
    project : Project
        Holds the results.
    params : Params
        Lists the instruments.
    console : Console
        Where to print.
    """
    for instrument in params.instruments:
        results = project.results(instrument)
        if not (results / "registered.json").exists():
            raise UserError(f"nothing is registered for {instrument} yet: run make repro")
        registered = read_json(results / "registered.json")
        metrics = read_json(results / "scores.json", REPORTED)
        console.print(_table(instrument, registered, metrics))
        console.print(f"  {_searched(results)}", markup=False, soft_wrap=True)
        console.print(f"  {_choice(results)}", markup=False, soft_wrap=True)
        if not registered["champion"]["learned"]:
            console.print("  no trained model beats the baselines on unseen notes")
        if registered["champion"]["candidate"] is None:
            console.print("  the champion is from an earlier run, with other parameters or data")
        for reason in registered["decisions"]:
            console.print(f"  {reason}", style="dim", markup=False, soft_wrap=True)
        console.print()
    name = read_json(results / "registered.json")["name"]
    console.print("inspect:   make ui")
    command = pasteable(
        ".venv/bin/notedecay", "generate", "--model", f"models:/{name}@champion",
        "--prime", _example(results), "--seconds", "5", "--out", "note.wav",
    )  # fmt: skip
    console.print(f"generate:  {command}", markup=False, soft_wrap=True)


def _table(instrument: str, registered: dict[str, Any], metrics: dict[str, Any]) -> Table:
    champion = registered["champion"]
    counts = next(iter(metrics.values()))
    table = Table(
        title=Text(
            f"{instrument}: champion is {champion['model']} "
            f"({registered['name']}, version {champion['version']})"
        ),
        caption=f"means over {counts['seen']['notes']:.0f} seen and "
        f"{counts['unseen']['notes']:.0f} unseen notes; score and decay ok: 1 is best; "
        "envelope, noise, join in dB; oracle: fitted to the true waveform, no candidate",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("model", no_wrap=True)
    table.add_column("notes", no_wrap=True)
    for heading, _ in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    ranked = sorted(metrics, key=lambda n: -(metrics[n]["unseen"]["score"] or 0.0))
    for name in ranked:
        style = "bold" if name == champion["candidate"] else ""
        for split in ("unseen", "seen"):
            label = Text(name if split == "unseen" else "")
            table.add_row(label, split, *_cells(metrics[name][split]), style=style)
    return table


def _searched(results: Path) -> str:
    """Best score of each model in the search, on validation notes."""
    trials = read_rows(results / "trials.csv", ["score"])
    only = read_json(results / "best.json")["model"]
    scores: dict[str, list[float]] = {}
    for trial in trials:
        name = trial.get("model") or only  # a search of one model does not suggest it
        scores.setdefault(name, []).append(_score(trial["score"], results))
    ranked = sorted(scores.items(), key=lambda pair: -max(pair[1]))
    each = (f"{name} {max(found):.3f} ({len(found)} trials)" for name, found in ranked)
    return f"searched, best score on validation notes: {', '.join(each)}"


def _choice(results: Path) -> str:
    """Why the best model was chosen."""
    return f"chosen: {read_json(results / 'best.json').get('choice', 'by hand')}"


def _score(cell: str, results: Path) -> float:
    try:
        return float(cell or 0.0)  # a trial that was pruned at once has none
    except ValueError as error:
        raise UserError(
            f"{results / 'trials.csv'} cannot be read: run 'dvc repro' ({cell} is no score)"
        ) from error


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        "-" if figures[measure] is None else form.format(figures[measure])
        for measure, (_, form) in COLUMNS.items()
    ]


def _example(results: Path) -> str:
    """Path of an existing recording: the file of the first test note."""
    test = set(read_json(results / "split.json")["test"])
    notes = read_json(results / "catalogue.json")
    for row in notes:
        if row["id"] in test:
            return f"data/{row['file']}"
    raise UserError(f"{results}: the split and the catalogue do not fit: run 'dvc repro'")
