"""What a search of several workers leaves after faults: finished trials, and if they are equal.

Usage: python -m benchmarks.search_faults [FOLDER]

Prints a table: each fault on SQLite and on a PostgreSQL server that the program starts. The trials
are small real trainings of two models, in processes of their own. Needs the packages of the tests.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.pipeline.test_search_faults import ANYWHERE, OF_SERVERS, Fault
from tests.postgres import Postgres
from tests.searched import TRIALS, Searched, Tally, kill_all, make


def row(fault: Fault, prepared: Path, place: Path, server: Postgres | None) -> Tally:
    """Search under a fault, in a copy of the project."""
    url = server.create(fault.__name__) if server else None
    searched = Searched.copied(prepared, place / f"{fault.__name__}-{bool(server)}", url)
    try:
        fault(searched, server)
        searched.wait()
    finally:
        kill_all(searched)
    return searched.tally()


def shown(tally: Tally, undisturbed: Tally) -> str:
    """A cell: finished trials, whether they are the same ones, and what is left behind."""
    same = "same trials" if tally.points == undisturbed.points else "OTHER TRIALS"
    left = f", {len(tally.left)} files left" if tally.left else ""
    running = f", {tally.runs['RUNNING']} runs RUNNING" if tally.runs["RUNNING"] else ""
    return f"{tally.finished} of {TRIALS}, {same}{left}{running}"


def main() -> None:
    """Print the table, row by row."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    prepared = make(place / "prepared")
    server = Postgres(place / "postgres")
    try:
        undisturbed = Searched.copied(prepared, place / "undisturbed")
        undisturbed.workers(1)
        undisturbed.wait()
        expected = undisturbed.tally()
        print("| fault | SQLite | PostgreSQL |\n| --- | --- | --- |")
        for fault in [*ANYWHERE, *OF_SERVERS]:
            cells = [
                shown(row(fault, prepared, place, each), expected) if each or fault in ANYWHERE
                else "-"
                for each in (None, server)
            ]  # fmt: skip
            print(f"| {fault.__name__.replace('_', ' ')} | {' | '.join(cells)} |", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
