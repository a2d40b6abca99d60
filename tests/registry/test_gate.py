"""The gate with a real store: which candidate becomes champion, and what is written of it."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from notedecay.core.errors import UserError
from notedecay.registry.gate import Gate
from notedecay.tracking.runs import Tracker
from tests.registry.gates import alias, registered


def test_the_best_baseline_and_the_trained_model_are_candidates(gate):
    figures = {"lstm": 0.1, "silence": 0.0, "esprit": 0.9, "burg": 0.5}
    assert gate(figures).candidates() == ["esprit", "lstm"]
    assert gate({"lstm": 0.1}).candidates() == ["lstm"]
    assert gate({"silence": None, "burg": 0.0}).candidates() == ["silence"]


def test_the_first_is_champion_and_the_decision_is_written(gate, tracker):
    version, decision = gate({"burg": 0.4}).register("burg")
    assert decision.promoted
    assert decision.reason == "burg (version 1) is the first: score 0.400 on 2 unseen notes"
    kept = tracker.client.get_model_version(version.name, version.version)
    assert kept.tags["decision"] == decision.reason
    assert kept.tags["unseen.score"] == "0.4"
    assert kept.tags["trained_on"] == ""
    assert alias(tracker, "champion") == "burg"


def test_a_better_one_takes_the_alias_and_a_worse_one_is_challenger(gate, tracker):
    built = gate({"burg": 0.4, "esprit": 0.6, "lstm": 0.5})
    built.register("burg")
    version, better = built.register("esprit")
    assert better.reason == (
        "esprit (version 2) beats burg (version 1) 0.400: score 0.600 on 2 unseen notes"
    )
    assert alias(tracker, "champion") == "esprit"
    assert alias(tracker, "challenger") is None
    version, worse = built.register("lstm")
    assert not worse.promoted
    assert "lstm (version 3) does not beat esprit (version 2) 0.600: score 0.500" in worse.reason
    kept = tracker.client.get_model_version(version.name, version.version)
    assert kept.aliases == ["challenger"]
    assert kept.tags["decision"] == worse.reason
    assert kept.tags["trained_on"] == "57,59,61"
    assert alias(tracker, "champion") == "esprit"


def test_the_margin_must_be_gained(gate, tracker):
    built = gate({"burg": 0.4, "esprit": 0.45}, margin=0.1)
    built.register("burg")
    assert not built.register("esprit")[1].promoted
    assert alias(tracker, "champion") == "burg"


def state(tracker: Tracker) -> Any:
    versions = tracker.client.search_model_versions(f"name = '{registered(tracker)}'")
    return [(v.version, v.aliases, v.tags, v.last_updated_timestamp) for v in versions]


def test_registering_again_changes_nothing(gate, tracker):
    built = gate({"esprit": 0.6, "lstm": 0.5})
    first = [built.register(name)[1] for name in ("esprit", "lstm")]
    before = state(tracker)
    assert [built.register(name)[1] for name in ("esprit", "lstm")] == first
    # A tag that is set anew to the same value dates the version, and nothing else.
    assert [each[:3] for each in state(tracker)] == [each[:3] for each in before]


def test_versions_are_described_by_their_decisions_also_an_older_champion(gate, tracker):
    client, built = tracker.client, gate({"burg": 0.4, "esprit": 0.3})
    champion, first = built.register("burg")
    client.update_model_version(champion.name, champion.version, "")
    version, second = built.register("esprit")
    descriptions = [
        client.get_model_version(v.name, v.version).description for v in (champion, version)
    ]
    assert descriptions == [first.reason, second.reason]
    assert "(bells)" in client.get_registered_model(champion.name).description.replace(
        tracker.tags["notedecay.instrument"], "bells"
    )


def test_a_new_decision_replaces_the_description_but_not_a_users_text(gate, tracker):
    client = tracker.client
    built = gate({"burg": 0.4, "esprit": 0.3, "silence": 0.0})
    champion, _ = built.register("burg")
    esprit, _ = built.register("esprit")
    silence, _ = built.register("silence")
    for version in (champion, silence):
        client.update_model_version(version.name, version.version, "my own words")
    built.scores["esprit"]["unseen"]["score"] = 0.35
    decision = built.register("esprit")[1]
    built.register("silence")
    assert "score 0.350" in decision.reason
    descriptions = [
        client.get_model_version(v.name, v.version).description for v in (esprit, champion, silence)
    ]
    assert descriptions == [decision.reason, "my own words", "my own words"]


def test_a_run_that_the_store_lacks_is_made_again_once(gate, tracker):
    built = gate({"esprit": 0.6})
    built.runs["esprit"] = "0" * 32
    version, _ = built.register("esprit")
    again, _ = built.register("esprit")
    run = tracker.client.get_run(version.run_id)
    assert again.run_id == version.run_id
    assert run.data.tags["notedecay.imported_from"] == "0" * 32
    assert run.data.metrics["test.score"] > 0.9


def test_only_notes_that_the_champion_is_not_trained_on_count(gate):
    gate({"lstm": 0.99}).register("lstm")
    today = gate({"esprit": 0.5}, train=(58,), test=(57, 59, 60))
    _, decision = today.register("esprit")
    assert decision.promoted
    assert "beats lstm (version 1)" in decision.reason
    assert decision.reason.endswith("on 1 unseen notes")  # 57 and 59 are known to the champion


def test_a_measure_without_a_value_does_not_promote(gate, tracker):
    built = gate({"silence": None, "burg": 0.0})
    built.register("silence")
    assert not built.register("burg")[1].promoted
    assert alias(tracker, "champion") == "silence"


def test_a_champion_has_its_reason_also_when_killed_at_once(gate, tracker, monkeypatch):
    built = gate({"esprit": 0.6})
    promote = tracker.client.set_registered_model_alias

    def dies(*given: Any) -> None:
        promote(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(tracker.client, "set_registered_model_alias", dies)
        with pytest.raises(KeyboardInterrupt):
            built.register("esprit")
    assert alias(tracker, "champion") == "esprit"
    assert built.register("esprit")[1].reason.startswith("esprit (version 1) is the first")


def test_a_store_that_fails_is_no_reason_to_promote(gate, tracker, monkeypatch):
    built = gate({"esprit": 0.6, "burg": 0.4})
    built.register("esprit")

    def fails(*_: Any) -> None:
        raise MlflowException("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.client, "get_model_version_by_alias", fails)
        with pytest.raises(MlflowException, match="disk is full"):
            built.register("burg")
    assert alias(tracker, "champion") == "esprit"


def test_a_run_that_a_killed_register_left_running_is_finished_in_the_end(gate, tracker):
    """Ended as an orphan, the champion's run would otherwise stay KILLED."""
    built = gate({"burg": 0.4})
    run_id = built.runs["burg"]
    tracker.client.update_run(run_id, status="RUNNING")
    tracker.client.set_tag(run_id, "notedecay.process", f"{socket.gethostname()}:1:0.00")
    assert tracker.end_orphans() == 1
    built.register("burg")
    assert tracker.client.get_run(run_id).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("file", "shape"),
    [
        ("runs.json", {}),
        ("runs.json", []),
        ("runs.json", {"burg": 3}),
        ("scores.json", {}),
        ("scores.json", []),
        ("scores.json", {"burg": {}}),
        ("scores.json", {"burg": {"unseen": {"score": 0.4}}}),
        ("scores.json", {"burg": {"unseen": {"notes": 2}}}),
        ("scores.json", {"burg": {"unseen": {"score": "high", "notes": 2}}}),
    ],
)
def test_results_of_another_shape_are_one_line(gate, tracker, file, shape):
    good = gate({"burg": 0.4})
    (good.results / file).write_text(json.dumps(shape))
    with pytest.raises(UserError, match=f"{file} .*run 'dvc repro'") as error:
        Gate(tracker, good.dataset, good.config, good.results, good.data)
    assert "\n" not in str(error.value)
