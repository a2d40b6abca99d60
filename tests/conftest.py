"""What every test may use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest

from tests.postgres import Postgres, missing
from tests.recordings import make_data_dir

# A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
matplotlib.use("Agg")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real recordings beside the repository; tests of them are skipped elsewhere."""
    if not (REAL_DATA / "README.md").exists():
        pytest.skip(f"no real recordings at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two takes of twelve guitar notes, of which one is mistuned and one has no pitch."""
    return make_data_dir(tmp_path / "data")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real server."""
    if reason := missing():
        pytest.skip(reason)
    server = Postgres(tmp_path_factory.mktemp("postgres") / "data")
    yield server
    server.stop()
