"""A Ray cluster of two nodes on one machine; a program of its own, since Ray leaves warnings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import toy


class RayCluster:
    """The cluster, driven by lines to the program that holds it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._answer()

    def lose_a_node(self) -> None:
        """End the second node, and all that runs on it, without a farewell."""
        self._tell("lose")
        assert self._answer() == "lost"

    def add_a_node(self) -> None:
        self._tell("add")
        assert self._answer() == "added"

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("cluster: "):
                return line.removeprefix("cluster: ").strip()
        raise AssertionError(f"the cluster ended with {self._process.wait()}")


@contextmanager
def cluster(home: Path) -> Iterator[RayCluster]:
    """A head with one core and a node with one core."""
    (home / "ray_bootstrap_config.yaml").write_text("{}")  # else Ray asks the cloud who it is
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.experiments.runners.clusters"],
        cwd=root, env=environment(home), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:  # its end of input is the cluster's end
        yield RayCluster(process)


def environment(home: Path) -> dict[str, str]:
    root = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(root), str(root / "src")])
    return {
        **toy.environment(), "HOME": str(home), "PYTHONPATH": paths, "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip


def main() -> None:
    from ray.cluster_utils import Cluster

    found = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    node = found.add_node(num_cpus=1)
    print(f"cluster: {found.address}", flush=True)
    for line in sys.stdin:
        if line.strip() == "lose":
            found.remove_node(node, allow_graceful=False)
            print("cluster: lost", flush=True)
        else:
            node = found.add_node(num_cpus=1)
            print("cluster: added", flush=True)
    found.shutdown()


if __name__ == "__main__":
    main()
