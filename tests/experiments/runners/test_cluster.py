"""Trials on a real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.runners.placement import Placement
from notedecay.experiments.store import TrialStore
from tests.experiments.runners.clusters import RayCluster, cluster, environment

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def two_nodes(home: Path) -> Iterator[RayCluster]:
    pytest.importorskip("ray")
    with cluster(home) as found:
        yield found


class Driver:
    """A program that runs fake trials on the cluster and prints how each ended."""

    def __init__(self, place: Path, home: Path, address: str, *jobs: str) -> None:
        command = [sys.executable, "-m", "tests.experiments.runners.fakes", str(place)]
        self.process = subprocess.Popen(
            [*command, "--ray", address, *jobs], cwd=ROOT, env=environment(home),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ends(self) -> dict[str, Any]:
        printed, errors = self.process.communicate(timeout=300)
        assert self.process.returncode == 0, errors
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return found


def test_trials_run_on_both_nodes_at_once_and_report(
    two_nodes: RayCluster, home: Path, tmp_path: Path
) -> None:
    """Each of the first two ends only when both have begun."""
    jobs = ["meet 2", "meet 2", "mend", "bug"]
    found = Driver(tmp_path, home, two_nodes.address, *jobs).ends()
    assert found["epochs"] == {"0": [1, 2], "1": [1, 2], "2": [1], "3": [1]}
    ends = found["ends"]
    assert (ends["0-meet"], ends["1-meet"]) == (None, None)
    assert ends["2-mend"] == "no note 'C9': give another"
    assert ends["3-bug"].startswith("KeyError: 'x' (traceback: ")


def test_a_lost_node_is_a_fault_that_may_be_tried_again(
    two_nodes: RayCluster, home: Path, tmp_path: Path
) -> None:
    driver = Driver(tmp_path, home, two_nodes.address, "wait-for go", "wait-for go")
    while len(here := list(tmp_path.glob("here-*"))) < 2:
        assert driver.process.poll() is None, driver.process.communicate()
    two_nodes.lose_a_node()
    pids = [int(path.name.partition("-")[2]) for path in here]
    while all(psutil.pid_exists(pid) for pid in pids):
        time.sleep(0.1)
    (tmp_path / "go").touch()
    ends = driver.ends()["ends"]
    assert sorted(map(str, ends.values()))[0] == "None"
    assert next(end for end in ends.values() if end).startswith(
        "died: its node or process was lost"
    )
    two_nodes.add_a_node()


@pytest.mark.long
def test_an_interrupt_ends_the_trials_on_the_cluster(
    two_nodes: RayCluster, home: Path, tmp_path: Path
) -> None:
    driver = Driver(tmp_path, home, two_nodes.address, "sleep 600")
    while not list(tmp_path.glob(".*.partial")):
        assert driver.process.poll() is None, driver.process.communicate()
    driver.process.terminate()
    driver.process.communicate(timeout=60)
    assert driver.process.returncode == 130
    assert Driver(tmp_path, home, two_nodes.address, "sleep 0").ends()["ends"] == {"0-sleep": None}


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("nonsense", "--ray nonsense: give the address of a cluster as HOST:PORT"),
    ],
)
def test_a_cluster_that_does_not_answer_is_one_line_at_once(
    address: str, line: str, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    runner = Placement(ray=address).runner(TrialStore(tmp_path))
    with pytest.raises(UserError, match=line):
        runner.run([], lambda *_: None, lambda *_: None)
