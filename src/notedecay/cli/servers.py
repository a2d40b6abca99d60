"""Commands that become a server: ui, serve."""

from __future__ import annotations

import os
import sys

from notedecay.cli.model import Model
from notedecay.cli.options import Port
from notedecay.cli.output import say


def ui(port: Port = 5000) -> None:
    """Open the MLflow UI on the project's runs.

    Where MLFLOW_TRACKING_URI names a server, the addresses of its pages are printed and no other
    server is started.
    """
    from notedecay.core.project import find_project
    from notedecay.tracking import store

    mlruns = find_project().mlruns
    client = store.connect(mlruns)
    uri = store.tracking_uri(mlruns)
    if uri.startswith(("http://", "https://")):
        for line in store.pages(client, uri.rstrip("/")):
            say(line)
        say("MLFLOW_TRACKING_URI names this server, which has a UI of its own: none is started")
        return
    refuse_taken(port)
    for line in store.pages(client, f"http://127.0.0.1:{port}"):
        say(line)
    root = ("--default-artifact-root", store.artifacts(mlruns).as_uri()) if store.is_local() else ()
    _become(uri, "-m", "mlflow", "ui", "--port", str(port), "--backend-store-uri", uri, *root)


def serve(model: Model, port: Port = 5001) -> None:
    """Serve a registered model over REST, as 'mlflow models serve' does."""
    from notedecay.core.project import find_project
    from notedecay.registry import versions
    from notedecay.registry.names import champion_uri
    from notedecay.serving.package import SERVER
    from notedecay.tracking import store

    mlruns = find_project().mlruns
    uri = model if model.startswith("models:") else champion_uri(model)
    client = store.connect(mlruns)
    versions.folder_of(client, versions.find(client, uri))  # damaged files are one line here
    refuse_taken(port)
    # A file, and no module: that would import today's notedecay, not the model's own.
    _become(store.tracking_uri(mlruns), "-P", str(SERVER), uri, "--port", str(port))


def refuse_taken(port: int) -> None:
    """Refuse a port that is in use; MLflow itself gives a traceback, or nothing.

    Raises
    ------
    UserError
        Naming the port and the reason.
    """
    import errno
    import socket

    from notedecay.core.errors import UserError

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be had ({error.strerror})"
            raise UserError(f"port {port} {why}: choose another with --port") from error


def _become(uri: str, *arguments: str) -> None:
    """Become another Python program, which uses the same tracking store."""
    os.environ["MLFLOW_TRACKING_URI"] = uri
    os.execv(sys.executable, [sys.executable, *arguments])
