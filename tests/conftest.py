"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real recordings beside the repository; tests of them are skipped elsewhere."""
    if not (REAL_DATA / "README.md").exists():
        pytest.skip(f"no real recordings at {REAL_DATA}")
    return REAL_DATA
