"""The gate with a real store: which candidate becomes champion, and on which notes."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from safetensors.torch import load_file, save_file

from notedecay.core.config import Instrument
from notedecay.core.errors import UserError
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips, write_clips
from notedecay.experiments.dataset import Dataset
from notedecay.models import Signal, checksums, create
from notedecay.registry import versions
from notedecay.registry.gate import Gate
from notedecay.tracking.runs import Tracker
from tests import toy

RATE = 4000
NUMBERS = itertools.count()
TRAIN, TEST = (57, 59, 61), (58, 60)
SETTINGS = {
    "esprit": {"order": 12},
    "burg": {"order": 64},
    "silence": {},
    "lstm": {"units": 16, "resolution": 60, "transpose": 0},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Five bells as recordings."""
    folder = tmp_path_factory.mktemp("project") / "data"
    toy.make_notes(folder / "bells/own", range(57, 62))
    return folder


@pytest.fixture(scope="module")
def notes(data):
    return catalogue.build(data, "bells", highpass_hz=25.0)


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store") / "mlruns"


@pytest.fixture
def signal() -> Signal:
    """Of an instrument of the test's own: one store serves all."""
    return Signal(instrument=f"bells{next(NUMBERS)}", rate=RATE)


@pytest.fixture
def tracker(mlruns, signal) -> Tracker:
    return Tracker(mlruns, signal.instrument, {})


Build = Callable[..., Gate]


@pytest.fixture
def gate(data, notes, tracker, signal, tmp_path) -> Build:
    """Builds a gate from figures that the stage ``compare`` might have written."""
    count = 0

    def build(
        figures: dict[str, float | None],
        rate: int = RATE,
        train: tuple[int, ...] = TRAIN,
        test: tuple[int, ...] = TEST,
        **register: Any,
    ) -> Gate:
        nonlocal count
        count += 1
        results = tmp_path / f"results{count}"
        results.mkdir()
        used = [note for note in notes if note.pitch in (*train, *test)]
        parts = {
            name: [note.id for note in used if note.pitch in pitches]
            for name, pitches in (("train", train), ("validation", train[:1]), ("test", test))
        }
        clips = prepare_clips(data, used, rate=rate, seconds=1.4, highpass_hz=25.0)
        catalogue.write(notes, results / "catalogue.json")
        split.write(parts, results / "split.json")
        write_clips(clips, results / "clips.npz")
        own_signal = signal.model_copy(update={"rate": rate})
        runs = {}
        for name in figures:
            model = create(name, own_signal, SETTINGS[name])
            (results / "candidates" / name).mkdir(parents=True)
            model.save(results / "candidates" / name)
            with tracker.run(name, "train" if model.learned else "baseline") as run:
                pass
            runs[name] = run.id
        unseen = {
            name: {"unseen": {"score": value, "notes": len(test)}}
            for name, value in figures.items()
        }
        (results / "scores.json").write_text(json.dumps(unseen))
        (results / "runs.json").write_text(json.dumps(runs))
        config = copy.deepcopy(toy.INSTRUMENT)
        config["register"] |= register
        config["evaluate"]["baselines"] = {n: SETTINGS[n] for n in ("silence", "burg", "esprit")}
        dataset = Dataset(own_signal, clips, parts, results / "clips.npz")
        return Gate(tracker, dataset, Instrument.model_validate(config), results, data)

    return build


def registered(tracker: Tracker) -> str:
    return f"notedecay-{tracker.tags['notedecay.instrument']}"


def alias(tracker: Tracker, name: str) -> str | None:
    """Name of the model behind an alias."""
    version = versions.holder(tracker.client, registered(tracker), name)
    return None if version is None else version.tags["model"]


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
    assert run.data.scores["test.score"] > 0.9


def test_figures_of_another_protocol_do_not_count(gate, tracker):
    """The champion's 0.99 was on other notes; on today's it is worth nothing."""
    gate({"silence": 0.99}).register("silence")
    _, decision = gate({"esprit": 0.01}, test=(58,)).register("esprit")
    assert decision.promoted
    assert "beats silence (version 1) 0.000: score 1.000" in decision.reason
    assert decision.reason.endswith("on 1 unseen notes")
    assert alias(tracker, "champion") == "esprit"


def champion_files(tracker: Tracker) -> Path:
    present = versions.holder(tracker.client, registered(tracker), "champion")
    return versions.folder_of(tracker.client, present)


def without_checksums(tracker: Tracker) -> None:
    """Make the champion one from before checksums were kept."""
    (champion_files(tracker) / "SHA256SUMS").unlink()
    tracker.client.delete_model_version_tag(registered(tracker), "1", "sha256")


def checked_anew(tracker: Tracker) -> None:
    """Make the champion's files those that it was registered with."""
    name = registered(tracker)
    where = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/1"))
    folder = next(where.rglob("model.json")).parent
    checksums.write(folder, ("model.json", "weights.safetensors"))
    sums = json.dumps(checksums.of_folder(folder))
    tracker.client.set_model_version_tag(name, "1", "sha256", sums)


@pytest.mark.parametrize("checked", [True, False], ids=["with checksums", "from before them"])
@pytest.mark.parametrize("test", [TEST, (58,)], ids=["same protocol", "another protocol"])
def test_a_champion_of_code_that_has_changed_is_replaced(gate, tracker, test, checked):
    """Its weights do not fit today's net, so it can neither be evaluated nor generate."""
    gate({"lstm": 0.99}).register("lstm")
    weights = champion_files(tracker) / "weights.safetensors"
    if not checked:
        without_checksums(tracker)
    state = load_file(weights)
    state.popitem()
    save_file(state, weights)
    if checked:
        checked_anew(tracker)
    _, decision = gate({"esprit": 0.01}, test=test).register("esprit")
    assert decision.promoted
    assert decision.reason == (
        "esprit (version 2) takes over from version 1, which the present code cannot load: "
        f"score 0.010 on {len(test)} unseen notes"
    )
    assert alias(tracker, "champion") == "esprit"


@pytest.mark.parametrize("test", [TEST, (58,)], ids=["same protocol", "another protocol"])
@pytest.mark.parametrize(
    "content",
    [lambda _: None, lambda _: b"", lambda _: b"no weights", lambda was: was[:-1] + b"\x01"],
    ids=["gone", "empty", "damaged", "one byte"],
)
def test_a_champion_whose_weights_are_lost_is_not_replaced(gate, tracker, content, test):
    gate({"lstm": 0.99}).register("lstm")
    weights = champion_files(tracker) / "weights.safetensors"
    was = weights.read_bytes()
    weights.unlink()
    if (changed := content(was)) is not None:
        weights.write_bytes(changed)
    line = "is not as it was saved" if changed is not None else "cannot be read"
    with pytest.raises(UserError, match=line):
        gate({"esprit": 0.01}, test=test).register("esprit")
    assert alias(tracker, "champion") == "lstm"


@pytest.mark.parametrize("content", [None, b"", b"no weights"], ids=["gone", "empty", "damaged"])
def test_nor_is_one_from_before_checksums(gate, tracker, content):
    gate({"lstm": 0.99}).register("lstm")
    weights = champion_files(tracker) / "weights.safetensors"
    without_checksums(tracker)
    weights.unlink()
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(UserError, match="cannot use the weights"):
        gate({"esprit": 0.01}, test=(58,)).register("esprit")
    assert alias(tracker, "champion") == "lstm"


def test_a_champion_whose_files_are_gone_is_not_replaced(gate, tracker):
    gate({"lstm": 0.99}).register("lstm")
    present = versions.holder(tracker.client, registered(tracker), "champion")
    shutil.rmtree(versions.folder_of(tracker.client, present).parents[1])
    with pytest.raises(UserError, match="cannot be had"):
        gate({"esprit": 0.01}, test=(58,)).register("esprit")
    assert alias(tracker, "champion") == "lstm"


def test_only_notes_that_the_champion_is_not_trained_on_count(gate):
    gate({"lstm": 0.99}).register("lstm")
    today = gate({"esprit": 0.5}, train=(58,), test=(57, 59, 60))
    _, decision = today.register("esprit")
    assert decision.promoted
    assert "beats lstm (version 1)" in decision.reason
    assert decision.reason.endswith("on 1 unseen notes")  # 57 and 59 are known to the champion


def test_without_a_common_unseen_note_the_champion_stays(gate, tracker):
    gate({"lstm": 0.1}).register("lstm")
    today = gate({"esprit": 0.99}, train=(58, 60), test=(57, 59))
    _, decision = today.register("esprit")
    assert not decision.promoted
    assert decision.reason == ("esprit (version 2) and the champion have no unseen note in common")
    assert alias(tracker, "champion") == "lstm"
    assert alias(tracker, "challenger") == "esprit"


def test_a_champion_at_another_rate_is_evaluated_on_the_same_notes(gate, signal):
    gate({"esprit": 0.01}, rate=5000).register("esprit")
    today = gate({"burg": 0.99}, rate=RATE)
    _, decision = today.register("burg")
    assert not decision.promoted
    clips = today.dataset.part("test")
    value = float(decision.reason.split("esprit (version 1) ")[1].split(":")[0])
    at_home = today._evaluate(create("esprit", signal, SETTINGS["esprit"]), clips)
    assert at_home > 0.95
    assert value == pytest.approx(at_home, abs=0.03)


def test_a_model_with_other_signal_settings_continues_at_the_datasets_rate(gate, signal):
    today = gate({"silence": 0.0})
    for changed in ({"rate": 5000}, {"prime_seconds": 0.4}, {"rate": 3000, "highpass_hz": 40.0}):
        other = signal.model_copy(update=changed)
        clips = today.dataset.part("test")
        made = today._continued_at_its_rate(create("esprit", other, SETTINGS["esprit"]), clips)
        for sound, clip in zip(made, clips, strict=True):
            original = clip.samples[signal.prime_samples :]
            assert len(sound) == len(original)
            assert np.corrcoef(sound, original)[0, 1] > 0.98


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


def test_a_store_that_fails_to_look_is_no_reason_to_promote(gate, tracker, monkeypatch):
    built = gate({"esprit": 0.6, "burg": 0.4})
    built.register("esprit")

    def fails(*_: Any) -> None:
        raise MlflowException("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(tracker.client, "get_model_version_by_alias", fails)
        with pytest.raises(MlflowException, match="disk is full"):
            built.register("burg")
    assert alias(tracker, "champion") == "esprit"


TAGS = ["model", "protocol", "trained_on", "unseen.score", "unseen.notes", "decision", "sha256"]


def forget(tracker: Tracker, *tags: str) -> None:
    """Delete tags of the champion, as somebody may in the UI."""
    for tag in tags:
        tracker.client.delete_model_version_tag(registered(tracker), "1", tag)


def kept(tracker: Tracker) -> dict[str, str]:
    return dict(tracker.client.get_model_version(registered(tracker), "1").tags)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_deleted_of_the_champion_is_written_anew_when_it_enters_again(gate, tracker, tag):
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


def evaluated(built: Gate, name: str, test: tuple[int, ...]) -> float:
    """Score of a candidate on the test notes, rounded as tags are."""
    signal = built.dataset.signal
    clips = [clip for clip in built.dataset.clips if clip.pitch in test]
    return round(built._evaluate(create(name, signal, SETTINGS[name]), clips), 4)


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
