"""Variants: each is the best of the search with one idea taken away."""

from __future__ import annotations

import pytest

from notedecay.core.config import parse
from notedecay.core.errors import UserError
from notedecay.models import MODELS
from notedecay.studies.ablation.variants import FULL, IDEAS, variants


@pytest.mark.parametrize(("name", "idea"), [(n, i) for n, ideas in IDEAS.items() for i in ideas])
def test_every_idea_is_one_of_the_settings(name: str, idea: str) -> None:
    parse(MODELS[name].Config, IDEAS[name][idea], idea)


def test_one_idea_is_taken_away_at_a_time() -> None:
    full, *others = variants({"continuator": "modal", "settings": {"units": 16}}, 7)
    assert (full.label, full.settings) == (FULL, {"units": 16, "epochs": 7})
    nets = next(one for one in others if one.label == "without several nets")
    assert nets.settings == {"units": 16, "epochs": 7, "members": 1}


def test_only_the_ideas_asked_for_are_taken_away() -> None:
    best = {"continuator": "modal", "settings": {}}
    found = variants(best, 7, ["hiss", "aftersound"])
    assert [one.label for one in found] == [FULL, "without aftersound", "without hiss"]
    with pytest.raises(UserError, match="did you mean 'hiss'"):
        variants(best, 7, ["his"])
    with pytest.raises(UserError, match="already without hiss"):
        variants(
            {"continuator": "modal", "settings": {"noise_floor": False}}, 7, ["hiss", "weeding"]
        )


def test_what_the_search_left_out_is_no_idea_of_the_model() -> None:
    found = variants({"continuator": "modal", "settings": {"dropout": 0}}, 7)
    assert "without dropout" not in [one.label for one in found]


@pytest.mark.parametrize(
    ("best", "line"),
    [
        ({"continuator": "lru", "settings": {}}, "no ideas are listed"),
        ({"continuator": "modal", "settings": {"unit": 3}}, "did you mean 'units'"),
    ],
)
def test_what_has_no_variants_is_refused(best: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line):
        variants(best, 7)
