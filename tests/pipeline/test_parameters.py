"""What DVC re-runs when a parameter changes: real DVC, the project's own dvc.yaml, quick stages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import toy

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

CHAIN = ["configure", "prepare", "search", "train", "compare", "register"]
QUICK = f"""#!{sys.executable}
# Every result is what its stage depends on, so that it changes when, and only when, that does.
import sys
from pathlib import Path
import yaml

_, _, name, instrument = sys.argv
if name == "configure":
    from notedecay.core.config import load_params
    from notedecay.core.project import find_project
    from notedecay.pipeline.configure import configure
    project = find_project()
    sys.exit(configure(project, load_params(project.params), instrument) and 0)
text = Path("dvc.yaml").read_text().replace("${{key}}", instrument)
stage = yaml.safe_load(text)["stages"][name]["do"]
values = yaml.safe_load(Path(f"results/{{instrument}}/params.json").read_text())
content = str(values.get({{"compare": "evaluate"}}.get(name, name))) + str(values["seed"])
for dep in stage["deps"]:
    if dep.startswith("results"):
        content += Path(dep).read_text()
for out in [*stage.get("outs", []), *stage.get("plots", []), *stage.get("metrics", [])]:
    path = Path(out if isinstance(out, str) else next(iter(out)))
    path.write_text(repr(content))
"""
OWN_SEARCH = {"search": {"trials": 5}}


def ran(answer: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Stages that ran, in order, by instrument; ``register``, which always runs, is left out."""
    found: dict[str, list[str]] = {"bells": [], "gongs": []}
    for stage, instrument in re.findall(r"Running stage '(\w+)@(\w+)'", answer.stdout):
        if stage != "register":
            found[instrument].append(stage)
    return found


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instruments whose stages have run, everything committed."""
    root = toy.make_empty_project(tmp_path_factory.mktemp("toy") / "project")
    quick = root / ".venv/bin/notedecay"
    quick.parent.mkdir(parents=True)
    quick.write_text(QUICK)
    quick.chmod(0o755)
    for name in ("bells", "gongs"):
        (root / "data" / name).mkdir(parents=True)
        (root / "data" / name / "C4.wav").write_text(name)
        (root / "results" / name).mkdir(parents=True)
    (root / "data.md5").touch()
    toy.write_params(root, {"seed": 5, "instruments": {"bells": {}, "gongs": OWN_SEARCH}})
    toy.run(root, "git", "add", "-A")
    toy.run(root, "git", "commit", "-qm", "toy")
    assert ran(toy.dvc(root, "repro")) == {"bells": CHAIN[:-1], "gongs": CHAIN[:-1]}
    toy.run(root, "git", "add", "-A")
    toy.run(root, "git", "commit", "-qm", "reproduced")
    return root


@pytest.fixture
def project(reproduced: Path) -> Path:
    """The project as it was committed."""
    toy.run(reproduced, "git", "checkout", "-q", ".")
    toy.dvc(reproduced, "checkout", "-q")
    return reproduced


def change(root: Path, *path: str, value: Any) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    place = params
    for part in path[:-1]:
        place = place.setdefault(part, {})
    place[path[-1]] = value
    toy.write_params(root, params)


def values(root: Path, instrument: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / f"results/{instrument}/params.json").read_text())
    return found


def test_with_nothing_changed_nothing_runs(project: Path) -> None:
    assert ran(toy.dvc(project, "repro")) == {"bells": [], "gongs": []}
    assert toy.run(project, "git", "status", "--porcelain").stdout == ""
    status = json.loads(toy.dvc(project, "status", "--json").stdout)
    assert {name.partition("@")[0] for name in status} == {"register"}  # always changed


def test_the_merged_parameters_are_the_defaults_and_the_own_values(project: Path) -> None:
    merged = values(project, "bells")
    code = merged.pop("code")
    assert merged == {"seed": 5, **toy.INSTRUMENT}
    assert code.keys() == {"prepare", "search", "train", "compare"}
    assert code["train"].keys() == {"lstm"}
    assert values(project, "gongs")["search"] == {**toy.INSTRUMENT["search"], "trials": 5}


def test_an_instrument_s_search_re_runs_that_search_and_its_followers_alone(project: Path) -> None:
    change(project, "instruments", "bells", "search", "trials", value=3)
    status = json.loads(toy.dvc(project, "status", "--json").stdout)
    changed = {"changed deps": {"params.yaml": {"instruments.bells": "modified"}}}
    assert status["configure@bells"] == [changed]
    assert {name.partition("@")[0] for name in status} == {"configure", "register"}
    assert "configure@gongs" not in status
    expected = ["configure", "search", "train", "compare"]
    assert ran(toy.dvc(project, "repro")) == {"bells": expected, "gongs": []}


def test_a_default_re_runs_the_stages_that_use_it(project: Path) -> None:
    change(project, "defaults", "train", "epochs", value=4)
    expected = ["configure", "train", "compare"]
    assert ran(toy.dvc(project, "repro")) == {"bells": expected, "gongs": expected}


def test_a_value_said_where_it_was_inherited_re_runs_no_training(project: Path) -> None:
    change(project, "instruments", "bells", "search", "trials", value=2)
    assert ran(toy.dvc(project, "repro")) == {"bells": ["configure"], "gongs": []}


def test_an_experiment_changes_a_default_of_those_that_do_not_override_it(project: Path) -> None:
    answer = toy.dvc(project, "exp", "run", "-S", "defaults.search.trials=6")
    expected = ["configure", "search", "train", "compare"]
    assert ran(answer) == {"bells": expected, "gongs": ["configure"]}
    assert values(project, "bells")["search"]["trials"] == 6
    assert values(project, "gongs")["search"]["trials"] == 5
    trials = {"old": 2, "new": 6, "diff": 4}
    assert json.loads(toy.dvc(project, "params", "diff", "--json").stdout) == {
        "params.yaml": {"defaults.search.trials": trials},  # as it is written
        "results/bells/params.json": {"search.trials": trials},  # as it is used
    }


def test_an_experiment_gives_an_instrument_a_value_of_its_own(project: Path) -> None:
    answer = toy.dvc(project, "exp", "run", "-S", "+instruments.bells.search.trials=7")
    expected = ["configure", "search", "train", "compare"]
    assert ran(answer) == {"bells": expected, "gongs": []}
    assert values(project, "bells")["search"]["trials"] == 7
    written = yaml.safe_load((project / "params.yaml").read_text())["instruments"]
    assert written == {"bells": {"search": {"trials": 7}}, "gongs": OWN_SEARCH}
