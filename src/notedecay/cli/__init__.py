"""The command ``notedecay``: a module for each group of commands, put together here.

What a command needs is imported when it runs: ``notedecay --help`` loads no more than Typer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from notedecay.cli import data, model, output, pipeline, search, servers, studies
from notedecay.cli.help import GroupedCommands
from notedecay.core.commands import find_children

GROUPS: dict[str, list[Callable[..., None]]] = {
    "Continue a note": [model.generate],
    "Recordings": [data.fetch, data.add, data.notes, data.pin, data.verify],
    "Results": [pipeline.report, servers.ui, servers.serve],
    "Studies": [studies.evaluate, studies.ablate, studies.pool, studies.paper],
    "For dvc.yaml": [pipeline.stage],
}
"""Commands in the order in which a user meets them."""

app = typer.Typer(
    cls=GroupedCommands,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"notedecay {version('notedecay')}")
        raise typer.Exit


@app.callback()
def notedecay(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only errors and results.")
    ] = False,
    version: Annotated[  # noqa: ARG001 (its callback has printed it)
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Learn how the sound of a note dies away, and continue it."""
    output.set_quiet(quiet)


for _panel, _commands in GROUPS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
app.add_typer(search.app, name="search", rich_help_panel="Studies")


def main() -> None:
    """Run the command. What the user can mend is one line and exit code 2."""
    find_children()
    try:
        app()
    except Exception as error:
        from notedecay.cli.messages import line_of

        line = line_of(error)
        if line is None:
            raise
        output.error(line)
        sys.exit(2)
