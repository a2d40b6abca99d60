"""Variants: each is the best of the search with one component removed."""

from __future__ import annotations

import pytest

from notedecay.core.errors import UserError
from notedecay.core.validation import parse
from notedecay.models import MODELS
from notedecay.studies.ablation.variants import COMPONENTS, FULL, variants


@pytest.mark.parametrize(
    ("name", "component"), [(n, c) for n, known in COMPONENTS.items() for c in known]
)
def test_every_component_is_one_of_the_settings(name: str, component: str) -> None:
    parse(MODELS[name].Config, COMPONENTS[name][component], component)


def test_one_component_is_removed_at_a_time() -> None:
    full, *others = variants({"model": "modal", "settings": {"units": 16}}, 7)
    assert (full.label, full.settings) == (FULL, {"units": 16, "epochs": 7})
    nets = next(one for one in others if one.label == "without ensemble")
    assert nets.settings == {"units": 16, "epochs": 7, "members": 1}


def test_only_the_components_asked_for_are_removed() -> None:
    best = {"model": "modal", "settings": {}}
    found = variants(best, 7, ["noise floor", "aftersound"])
    assert [one.label for one in found] == [FULL, "without aftersound", "without noise floor"]
    with pytest.raises(UserError, match="did you mean 'noise floor'"):
        variants(best, 7, ["noise flor"])
    with pytest.raises(UserError, match="already without noise floor"):
        variants(
            {"model": "modal", "settings": {"noise_floor": False}},
            7,
            ["noise floor", "dropping transients"],
        )


def test_what_the_search_left_out_is_no_component_of_the_model() -> None:
    found = variants({"model": "modal", "settings": {"dropout": 0}}, 7)
    assert "without dropout" not in [one.label for one in found]


@pytest.mark.parametrize(
    ("best", "line"),
    [
        ({"model": "lru", "settings": {}}, "no components are listed"),
        ({"model": "modal", "settings": {"unit": 3}}, "did you mean 'units'"),
    ],
)
def test_what_has_no_variants_is_refused(best: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line):
        variants(best, 7)
