"""The gate and tags of the champion: deleted, damaged, or of an early release."""

from __future__ import annotations

import pytest

from notedecay.tracking.runs import Tracker
from tests.registry.gates import TEST, alias, evaluated, registered

TAGS = ["model", "protocol", "trained_on", "unseen.score", "unseen.notes", "decision", "sha256"]


def forget(tracker: Tracker, *tags: str) -> None:
    """Delete tags of the champion, as somebody may in the UI."""
    for tag in tags:
        tracker.client.delete_model_version_tag(registered(tracker), "1", tag)


def kept(tracker: Tracker) -> dict[str, str]:
    return dict(tracker.client.get_model_version(registered(tracker), "1").tags)


@pytest.mark.parametrize("tag", TAGS)
def test_a_deleted_tag_is_written_again_when_the_champion_is_registered_again(gate, tracker, tag):
    built = gate({"burg": 0.4})
    built.register("burg")
    before = kept(tracker)
    forget(tracker, tag)
    version, decision = built.register("burg")
    assert (str(version.version), decision.promoted) == ("1", True)
    after = kept(tracker)
    if tag == "decision":
        assert decision.reason == "burg (version 1) is champion; the reason was not kept"
        assert after.pop("decision") == decision.reason
        before.pop("decision")
    if tag == "sha256":
        before.pop("sha256")  # only what was registered may say so
    assert after == before


@pytest.mark.parametrize("test", [TEST, (58,)], ids=["same protocol", "another protocol"])
@pytest.mark.parametrize("tag", [*TAGS, "all of them"])
def test_a_champion_that_lacks_a_tag_does_not_lose_for_that(gate, tracker, tag, test):
    truth = evaluated(gate({"burg": 0.0}), "burg", TEST)
    gate({"burg": truth}).register("burg")
    forget(tracker, *(TAGS if tag == "all of them" else [tag]))
    built = gate({"silence": 0.001}, test=test)  # it is 0, and less than burg in any case
    _, decision = built.register("silence")
    shown = truth if test == TEST else evaluated(built, "burg", test)
    assert not decision.promoted
    assert f"silence (version 2) does not beat burg (version 1) {shown:.3f}:" in decision.reason
    assert alias(tracker, "champion") == "burg"
    assert {"model", "decision", "trained_on"} <= kept(tracker).keys()
    assert kept(tracker)["trained_on"] == ""
    if test == TEST and tag == "unseen.score":
        assert float(kept(tracker)["unseen.score"]) == truth


@pytest.mark.parametrize("text", ["", "high", "nan", "inf"])
def test_a_tag_of_the_champion_that_is_no_figure_is_computed_again(gate, tracker, text):
    truth = evaluated(gate({"burg": 0.0}), "burg", TEST)
    gate({"burg": truth}).register("burg")
    tracker.client.set_model_version_tag(registered(tracker), "1", "unseen.score", text)
    assert not gate({"silence": 0.001}).register("silence")[1].promoted
    assert float(kept(tracker)["unseen.score"]) == truth


@pytest.mark.parametrize("emptied", [True, False])
def test_what_a_champion_was_trained_on_is_known_by_todays_split(gate, tracker, emptied):
    gate({"lstm": 0.9}).register("lstm")
    for tag in ("trained_on", "model", "decision"):
        forget(tracker, tag)
        if emptied:
            tracker.client.set_model_version_tag(registered(tracker), "1", tag, "")
    gate({"silence": 0.0}).register("silence")
    assert kept(tracker)["trained_on"] == "57,59,61"
    assert kept(tracker)["model"] == "lstm"
    assert kept(tracker)["decision"] == "lstm (version 1) is champion; the reason was not kept"


@pytest.mark.parametrize("text", [None, "", "C4"])
def test_without_its_tag_a_champion_of_another_split_may_know_the_notes(gate, tracker, text):
    """It is evaluated on all test notes, and the decision says so."""
    gate({"lstm": 0.99}).register("lstm")
    forget(tracker, "trained_on")
    if text is not None:
        tracker.client.set_model_version_tag(registered(tracker), "1", "trained_on", text)
    today = gate({"esprit": 0.5}, train=(58,), test=(57, 59, 60))
    _, decision = today.register("esprit")
    assert decision.promoted
    assert decision.reason.endswith(
        "on 3 unseen notes; version 1 may know them: it has no tag 'trained_on'"
    )


def make_old(tracker: Tracker, model: str) -> None:
    """Give the champion the tags of an early release: ``continuator`` and ``exam``."""
    forget(tracker, "model", "protocol", "decision", "sha256")
    for tag, value in (("continuator", model), ("exam", "0123456789abcdef")):
        tracker.client.set_model_version_tag(registered(tracker), "1", tag, value)


def test_a_champion_with_old_tags_is_evaluated_again_and_gets_todays_tags(gate, tracker):
    gate({"burg": 0.99}).register("burg")
    make_old(tracker, "burg")
    built = gate({"silence": 0.001})
    truth = evaluated(built, "burg", TEST)
    assert 0.001 < truth < 0.98
    _, decision = built.register("silence")
    assert not decision.promoted
    assert f"silence (version 2) does not beat burg (version 1) {truth:.3f}:" in decision.reason
    assert alias(tracker, "champion") == "burg"
    tags = kept(tracker)
    assert (tags["model"], tags["continuator"]) == ("burg", "burg")
    assert tags["decision"] == "burg (version 1) is champion; the reason was not kept"
    assert "protocol" not in tags


def test_a_champion_with_old_tags_is_not_evaluated_on_its_training_notes(gate, tracker):
    gate({"lstm": 0.99}).register("lstm")
    make_old(tracker, "lstm")
    today = gate({"esprit": 0.5}, train=(58,), test=(57, 59, 60))
    _, decision = today.register("esprit")
    assert decision.promoted
    assert "beats lstm (version 1)" in decision.reason
    assert decision.reason.endswith("on 1 unseen notes")
    assert (kept(tracker)["model"], kept(tracker)["trained_on"]) == ("lstm", "57,59,61")


def test_an_old_champion_that_is_registered_again_gets_todays_tags(gate, tracker):
    built = gate({"burg": 0.4})
    built.register("burg")
    before = kept(tracker)
    make_old(tracker, "burg")
    _, decision = built.register("burg")
    assert decision.promoted
    after = kept(tracker)
    assert {tag: after[tag] for tag in ("model", "protocol", "unseen.score")} == {
        tag: before[tag] for tag in ("model", "protocol", "unseen.score")
    }
