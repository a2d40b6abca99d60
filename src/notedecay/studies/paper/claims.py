"""Answers to the paper's questions, computed from the figures of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notedecay.studies.paper.table import Figure, Row

NOTHING_LEARNED = 0.5
"""Least error, in variances of the notes, of a model that has learned nothing; silence has 1."""


@dataclass(frozen=True)
class Claim:
    """A question, and its answer in figures.

    Attributes
    ----------
    question, answer : str
        As text.
    """

    question: str
    answer: str


@dataclass(frozen=True)
class _Question:
    """A question about two experiments, and the function that answers it from their rows."""

    text: str
    first: str
    second: str
    answer: Callable[[Row, Row], str]


def claims(rows: Sequence[Row]) -> list[Claim]:
    """Answer every question whose two rows exist."""
    return [
        Claim(question.text, question.answer(*pair))
        for question in _QUESTIONS
        if (pair := _both(rows, question.first, question.second)) is not None
    ]


def _both(rows: Sequence[Row], first: str, second: str) -> tuple[Row, Row] | None:
    """Two rows of one scale: the one with the most seeds of both, and then the larger one.

    A model without training belongs to every scale.
    """
    pairs = [
        (a, b)
        for a in rows
        for b in rows
        if (a.experiment.name, b.experiment.name) == (first, second)
        and (a.scale == b.scale or not b.learns)
    ]
    return max(pairs, key=_weight, default=None)


def _weight(pair: tuple[Row, Row]) -> tuple[int, float]:
    seeds = min(len(row.results) for row in pair if row.learns)
    return seeds, pair[0].scale.units * pair[0].scale.epochs


def _c5(trained: Row, held_out: Row) -> str:
    seen, unseen = trained.c5("seen"), held_out.c5("unseen")
    return (
        f"Decay ok on C5 takes among the training notes {seen.text(2)}, on the same takes "
        f"when C5 is held out {unseen.text(2)}: "
        f"{_more(seen, unseen, 'better as training notes', 'worse as training notes')}."
    )


def _normalised(cnn: Row, lstm: Row) -> str:
    learns = cnn.teacher_forced("seen").mean < NOTHING_LEARNED
    return (
        "With updated statistics its teacher-forced error on training notes is "
        f"{_errors(cnn, lstm, 3, 'it learns, ' if learns else 'it learns nothing, ')}"
    )


def _plain(cnn: Row, lstm: Row) -> str:
    return f"Teacher-forced error on training notes {_errors(cnn, lstm, 3)}"


def _our_way(cnn: Row, lstm: Row) -> str:
    return (
        f"Teacher-forced error on training notes, in energies of the prime, {_errors(cnn, lstm, 4)}"
    )


def _errors(cnn: Row, lstm: Row, digits: int, conclusion: str = "") -> str:
    """Teacher-forced errors of a CNN-LSTM and of an LSTM on training notes, compared."""
    own, other = (row.teacher_forced("seen") for row in (cnn, lstm))
    worse = f"to {own.mean / other.mean:.1f} times the LSTM's error"
    return (
        f"{own.text(digits)}, the LSTM's {other.text(digits)}: {conclusion}"
        f"{_more(own, other, worse, 'better than the LSTM')}; {_alike(cnn)}."
    )


def _statistics(frozen: Row, updated: Row) -> str:
    errors = [row.teacher_forced("seen") for row in (frozen, updated)]
    return (
        f"The same network with statistics frozen at 0 and 1: training loss {frozen.loss.text(3)}, "
        f"with updated ones {updated.loss.text(3)}; teacher-forced error {errors[0].text(3)}, "
        f"with updated ones {errors[1].text(3)}; {_alike(frozen)}."
    )


def _spectrum(spectral: Row, plain: Row) -> str:
    with_it, without = (row.teacher_forced("unseen") for row in (spectral, plain))
    return (
        f"Teacher-forced error on unseen notes with it {with_it.text(3)}, without "
        f"{without.text(3)}: {_more(with_it, without, 'it hurts', 'it helps')}."
    )


def _extrapolation(lstm: Row, esprit: Row) -> str:
    own, other = (row.measure("unseen", "decay_ok") for row in (lstm, esprit))
    return (
        f"Decay ok: LSTM {own.text(2)}, ESPRIT {other.text(2)}: "
        f"{_more(own, Figure(other.mean, 0.0), 'yes', 'no')}."
    )


def _against_lstm(word: str) -> Callable[[Row, Row], str]:
    """Comparison of a model with the LSTM, free-running on unseen notes."""

    def answer(variant: Row, lstm: Row) -> str:
        other, plain = (row.measure("unseen", "score") for row in (variant, lstm))
        return (
            f"Score on unseen notes: {word} {other.text(3)}, the plain LSTM {plain.text(3)}: "
            f"{_more(other, plain, 'better', 'worse')}."
        )

    return answer


_LSTM = "lstm-512"
_QUESTIONS = (
    _Question(
        "Does a guitar's C5 decay only if it is a training note?",
        _LSTM, "lstm-unseen-c5", _c5,
    ),
    _Question("Does the CNN-LSTM learn?", "cnn", _LSTM, _normalised),
    _Question("Does the CNN-LSTM learn without batch normalisation?", "cnn-plain", _LSTM, _plain),
    _Question(
        "Is the CNN-LSTM as good as the LSTM if both are trained our way?",
        "cnn-trained-our-way", "lstm-trained-our-way", _our_way,
    ),
    _Question(
        "Do frozen statistics of batch normalisation hurt?", "cnn-frozen", "cnn", _statistics
    ),
    _Question("Does the spectrum as a further input hurt?", "spectral", _LSTM, _spectrum),
    _Question(
        "Does a second recurrent layer matter?",
        "lstm-2-layers", _LSTM, _against_lstm("two layers"),
    ),
    _Question("Does a latent variable help?", "vrnn-mean", _LSTM, _against_lstm("VRNN")),
    _Question(
        "Does our training improve the paper's LSTM?",
        "lstm-trained-our-way", _LSTM, _against_lstm("trained our way"),
    ),
    _Question(
        "Is the LSTM better than ESPRIT, which is not trained, on unseen guitar notes?",
        _LSTM, "guitar-esprit", _extrapolation,
    ),
)  # fmt: skip


def _more(a: Figure, b: Figure, yes: str, no: str) -> str:
    """Text on whether one figure is above another by more than the deviations of both."""
    if a.mean != a.mean or b.mean != b.mean:
        return "a figure is missing"
    if a.sd != a.sd or b.sd != b.sd:
        return "undecided with one seed"
    if abs(a.mean - b.mean) <= a.sd + b.sd:
        return "no difference beyond the deviation over seeds"
    return yes if a.mean > b.mean else no


def _alike(row: Row) -> str:
    """Text on how often continuations do not depend on the prime, by the diagnosis."""
    return f"continuations do not depend on the prime in {row.one_sound} trainings"
