"""The gate: a challenger must improve on the champion, on the same notes."""

from __future__ import annotations

import pytest

from notedecay.core.errors import UserError
from notedecay.registry.names import parse_uri
from notedecay.registry.promotion import CandidateScore, decide, promote_over_unloadable


def gate(challenger: float, champion: float | None, margin: float = 0.0):
    present = None if champion is None else CandidateScore("1", "esprit", champion)
    new = CandidateScore("2", "lstm", challenger)
    return decide(new, present, measure="score", margin=margin, notes=13)


def test_the_first_is_champion():
    assert gate(0.0, None).promoted


@pytest.mark.parametrize(
    ("challenger", "champion", "margin", "promoted"),
    [
        (0.3, 0.2, 0.0, True),
        (0.2, 0.2, 0.0, False),
        (0.1, 0.2, 0.0, False),
        (0.25, 0.2, 0.1, False),
        (0.31, 0.2, 0.1, True),
        (0.75, 0.5, 0.25, True),  # exactly by the margin: none of the three is rounded
        (0.3, 0.2, 0.1, True),  # likewise, though 0.3 - 0.2 is less than 0.1 as a float
        (0.625, 0.5, 0.25, False),
        (0.2, 0.5, -1.0, False),
        (float("nan"), 0.0, 0.0, False),
    ],
)
def test_only_a_gain_by_the_margin_promotes(challenger, champion, margin, promoted):
    assert gate(challenger, champion, margin).promoted is promoted


def test_the_margin_is_a_difference_whatever_the_level():
    assert gate(0.375, 0.25, 0.125).promoted
    assert not gate(0.3, 0.25, 0.125).promoted
    assert gate(0.0, -0.5, 0.25).promoted


def test_a_champion_that_cannot_be_loaded_is_replaced():
    decision = promote_over_unloadable(
        CandidateScore("2", "lstm", 0.1), "1", measure="score", notes=13
    )
    assert decision.promoted
    assert decision.reason.startswith("lstm (version 2) takes over from version 1")
    assert decision.reason.endswith("score 0.100 on 13 unseen notes")


def test_the_reason_has_both_figures_and_the_notes():
    reason = gate(0.123, 0.234).reason
    assert "lstm (version 2) does not beat esprit (version 1) 0.234" in reason
    assert "score 0.123 on 13 unseen notes" in reason


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("models:/notedecay-piano@champion", ("notedecay-piano", "champion", None)),
        ("models:/notedecay-piano/12", ("notedecay-piano", None, "12")),
    ],
)
def test_model_uris(uri, parts):
    assert parse_uri(uri) == parts


@pytest.mark.parametrize(
    "uri",
    [
        "models:/x",
        f"models:/x/{10**20}",
        "models:/x/٣",
        "models:/x/latest",
        "x@y",
        "models:/",
        "runs:/a/b",
    ],
)
def test_other_uris_are_refused(uri):
    with pytest.raises(UserError, match="is not a model"):
        parse_uri(uri)
