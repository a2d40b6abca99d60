"""What a call asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.experiments.oracle import ORACLE
from notedecay.experiments.scale import FULL, QUICK, REDUCED, Scale
from notedecay.models import MODELS, create
from notedecay.studies.paper.experiments import EXPERIMENTS, FLUTE
from notedecay.studies.paper.plan import SEEDS, choose, plan
from tests.toy import make_notes


def test_names_are_unique() -> None:
    assert len({e.name for e in EXPERIMENTS}) == len(EXPERIMENTS)


@pytest.mark.parametrize("scale", [FULL, REDUCED, QUICK], ids=lambda s: s.name)
def test_every_experiment_can_be_made(scale: Scale) -> None:
    for experiment in EXPERIMENTS:
        if experiment.model == ORACLE:
            continue
        signal = experiment.dataset.signal(experiment.prime_seconds)
        made = create(experiment.model, signal, scale.settings(experiment.settings))
        assert isinstance(made, MODELS[experiment.model])


def test_every_row_of_the_authors_log_has_its_counterpart() -> None:
    losses = " ".join(experiment.loss for experiment in EXPERIMENTS)
    for loss in (".013", ".024", ".034", ".042", ".029", ".037", ".518", ".415", ".402", ".651",
                 ".057", ".086", ".0067", ".0046", ".097 to .348"):  # fmt: skip
        assert loss in losses
    published = {number for experiment in EXPERIMENTS for number in experiment.published}
    assert published == set(range(1, 10))


def test_full_scale_is_the_papers() -> None:
    settings = {"units": 512, "filters": 32, "epochs": 180, "batch": 10}
    assert FULL.settings(settings) == settings
    assert REDUCED.settings(settings) == settings | {"units": 128, "filters": 8}
    assert QUICK.settings(settings) == settings | {"units": 128, "filters": 8, "epochs": 60}


def test_an_unknown_experiment_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no experiment 'lstm-521'.*lstm-512"):
        choose(["lstm-521"], main=False)


def test_the_quick_ones_are_the_main_ones() -> None:
    quick = choose([], main=True)
    assert {"lstm-512", "as-it-was", "cnn", "cnn-frozen", "cello-512"} <= {e.name for e in quick}
    assert all(experiment.main for experiment in quick)


def test_main_experiments_have_seeds_and_what_does_not_learn_has_one(tmp_path: Path) -> None:
    make_notes(tmp_path / "flute/own", range(66, 78))
    asked = choose(["flute-512", "flute-esprit"], main=False)
    planned, lacking = plan(asked, QUICK, tmp_path, tmp_path / "results")
    assert not lacking
    assert [(p.experiment.name, p.trial.seed) for p in planned] == [
        ("flute-512", 0), ("flute-esprit", 0), ("flute-512", 1), ("flute-512", 2),
    ]  # fmt: skip
    assert SEEDS == 3
    assert len({p.trial.fingerprint for p in planned}) == 4
    first = planned[0].trial
    assert set(first.evaluation["seen"]) <= set(first.train)
    assert not set(first.train) & set(first.evaluation["unseen"])
    assert first.signal == FLUTE.signal(0.33)


def test_missing_recordings_are_reported_and_the_rest_is_planned(tmp_path: Path) -> None:
    make_notes(tmp_path / "flute/own", range(66, 78))
    asked = choose(["cello-esprit", "flute-esprit"], main=False)
    planned, lacking = plan(asked, QUICK, tmp_path, tmp_path / "results")
    assert [p.experiment.name for p in planned] == ["flute-esprit"]
    assert "no recordings" in lacking["cello-esprit"]
