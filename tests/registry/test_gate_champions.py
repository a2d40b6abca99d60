"""The gate and a champion of other notes, other signal settings, or with damaged files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from notedecay.core.errors import UserError
from notedecay.models import checksums, create
from notedecay.registry import versions
from notedecay.tracking.runs import Tracker
from tests.registry.gates import RATE, SETTINGS, TEST, alias, champion_files, registered


def test_figures_of_another_protocol_do_not_count(gate, tracker):
    """The champion's 0.99 was on other notes; on today's it is worth nothing."""
    gate({"silence": 0.99}).register("silence")
    _, decision = gate({"esprit": 0.01}, test=(58,)).register("esprit")
    assert decision.promoted
    assert "beats silence (version 1) 0.000: score 1.000" in decision.reason
    assert decision.reason.endswith("on 1 unseen notes")
    assert alias(tracker, "champion") == "esprit"


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
