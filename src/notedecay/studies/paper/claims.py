"""What the figures say to the paper's questions: worked out anew whenever they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notedecay.studies.paper.table import Figure, Row

NOTHING_LEARNED = 0.5
"""Error, in variances of the notes, from which on nothing is learned; that of silence is 1."""


@dataclass(frozen=True)
class Claim:
    """A question, and its answer in figures.

    Attributes
    ----------
    question, answer : str
        In words.
    """

    question: str
    answer: str


@dataclass(frozen=True)
class _Question:
    """What is asked of two experiments, and how their rows answer."""

    text: str
    first: str
    second: str
    answer: Callable[[Row, Row], str]


def claims(rows: Sequence[Row]) -> list[Claim]:
    """Answer every question for which the rows are there."""
    return [
        Claim(question.text, question.answer(*pair))
        for question in _QUESTIONS
        if (pair := _both(rows, question.first, question.second)) is not None
    ]


def _both(rows: Sequence[Row], first: str, second: str) -> tuple[Row, Row] | None:
    """Two rows of one size, that with the most seeds of both, and then the larger one.

    What has nothing to train is of every size.
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


def _c5(learned: Row, kept_from: Row) -> str:
    known, unknown = learned.c5("seen"), kept_from.c5("unseen")
    return (
        f"Decay ok on the C5 takes that the LSTM has learned {known.text(2)}, on the same takes "
        f"when C5 was kept from it {unknown.text(2)}: "
        f"{_more(known, unknown, 'better where learned', 'worse where learned')}."
    )


def _normalised(cnn: Row, lstm: Row) -> str:
    learns = cnn.teacher_forced("seen").mean < NOTHING_LEARNED
    return (
        "With statistics that are kept its teacher-forced error on learned notes is "
        f"{_errors(cnn, lstm, 3, 'it learns, ' if learns else 'it learns nothing, ')}"
    )


def _plain(cnn: Row, lstm: Row) -> str:
    return f"Teacher-forced error on learned notes {_errors(cnn, lstm, 3)}"


def _our_way(cnn: Row, lstm: Row) -> str:
    return (
        f"Teacher-forced error on learned notes, in energies of the prime, {_errors(cnn, lstm, 4)}"
    )


def _errors(cnn: Row, lstm: Row, digits: int, verdict: str = "") -> str:
    """Errors of a CNN-LSTM and of an LSTM on learned notes, and what they say."""
    own, other = (row.teacher_forced("seen") for row in (cnn, lstm))
    worse = f"to {own.mean / other.mean:.1f} times the LSTM's error"
    return (
        f"{own.text(digits)}, the LSTM's {other.text(digits)}: {verdict}"
        f"{_more(own, other, worse, 'better than the LSTM')}; {_alike(cnn)}."
    )


def _statistics(frozen: Row, kept: Row) -> str:
    errors = [row.teacher_forced("seen") for row in (frozen, kept)]
    return (
        f"The same net with statistics frozen at 0 and 1: training loss {frozen.loss.text(3)}, "
        f"with those that are kept {kept.loss.text(3)}; teacher-forced error {errors[0].text(3)}, "
        f"with those that are kept {errors[1].text(3)}; {_alike(frozen)}."
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
    """A relative of the LSTM against it, free-running on unseen notes."""

    def answer(relative: Row, lstm: Row) -> str:
        other, plain = (row.measure("unseen", "score") for row in (relative, lstm))
        return (
            f"Score on unseen notes: {word} {other.text(3)}, the plain LSTM {plain.text(3)}: "
            f"{_more(other, plain, 'better', 'worse')}."
        )

    return answer


_LSTM = "lstm-512"
_QUESTIONS = (
    _Question(
        "Does C5 on the guitar decay where it was learned, and else not?",
        _LSTM, "lstm-unseen-c5", _c5,
    ),
    _Question("Does the CNN-LSTM learn nothing?", "cnn", _LSTM, _normalised),
    _Question("And without batch normalisation?", "cnn-plain", _LSTM, _plain),
    _Question(
        "And with both trained our way?", "cnn-trained-our-way", "lstm-trained-our-way", _our_way
    ),
    _Question("Was it the statistics?", "cnn-frozen", "cnn", _statistics),
    _Question("Does the spectrum at the input hurt?", "spectral", _LSTM, _spectrum),
    _Question(
        "Does a second recurrent layer matter?",
        "lstm-2-layers", _LSTM, _against_lstm("two layers"),
    ),
    _Question("Does a latent variable help?", "vrnn-mean", _LSTM, _against_lstm("VRNN")),
    _Question(
        "Is it the training rather than the net?",
        "lstm-trained-our-way", _LSTM, _against_lstm("trained our way"),
    ),
    _Question(
        "Is it better than extrapolation that learns nothing, on unseen guitar notes?",
        _LSTM, "guitar-esprit", _extrapolation,
    ),
)  # fmt: skip


def _more(a: Figure, b: Figure, yes: str, no: str) -> str:
    """Whether one figure is above another by more than the spreads of both."""
    if a.mean != a.mean or b.mean != b.mean:
        return "there is nothing to compare"
    if a.sd != a.sd or b.sd != b.sd:
        return "one seed decides nothing"
    if abs(a.mean - b.mean) <= a.sd + b.sd:
        return "no difference beyond the spread of the seeds"
    return yes if a.mean > b.mean else no


def _alike(row: Row) -> str:
    """Whether what it makes depends on the prime, by the diagnosis."""
    return f"one sound follows every prime in {row.one_sound} trainings"
