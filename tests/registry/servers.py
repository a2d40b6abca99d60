"""A model served for real, as long as a test needs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from notedecay.core.commands import installed
from tests import toy


@contextmanager
def serving(project: Path, model: str) -> Iterator[str]:
    """Run ``notedecay serve``, not activated; give its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [installed("notedecay"), "serve", "--model", model, "--port", str(port)],
        cwd=project, env={**toy.environment(), "PATH": "/usr/bin:/bin"}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(240):
            try:
                requests.get(f"http://127.0.0.1:{port}/ping", timeout=1).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
