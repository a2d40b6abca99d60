"""What the figures say to the paper's questions: worked out anew whenever they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notedecay.paper.table import Figure, Row


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


def claims(rows: Sequence[Row]) -> list[Claim]:
    """Answer every question for which the rows are there."""
    return [claim for ask in _QUESTIONS if (claim := ask(_Rows(rows))) is not None]


class _Rows:
    """Rows by the names of their experiments, two of them at one scale."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def both(self, first: str, second: str) -> tuple[Row, Row] | None:
        """Two rows of one size, that with the most seeds of both, and then the larger one.

        What has nothing to train is of every size.
        """
        pairs = [
            (a, b)
            for a in self._rows
            for b in self._rows
            if (a.experiment.name, b.experiment.name) == (first, second)
            and (a.scale == b.scale or not b.learns)
        ]
        return max(pairs, key=_weight, default=None)


def _weight(pair: tuple[Row, Row]) -> tuple[int, float]:
    seeds = min(len(row.results) for row in pair if row.learns)
    return seeds, pair[0].scale.units * pair[0].scale.epochs


def _decays_seen(rows: _Rows) -> Claim | None:
    pair = rows.both("lstm-512", "lstm-unseen-c5")
    if pair is None:
        return None
    known = pair[0].c5("seen")
    unknown = pair[1].c5("unseen")
    return Claim(
        "Does C5 on the guitar decay where it was learned, and else not?",
        f"Decay ok on the C5 takes that the LSTM has learned {known.text(2)}, on the same takes "
        f"when C5 was kept from it {unknown.text(2)}: "
        f"{_more(known, unknown, 'better where learned', 'worse where learned')}.",
    )


def _learns(rows: _Rows) -> Claim | None:
    pair = rows.both("cnn", "lstm-512")
    if pair is None:
        return None
    cnn, lstm = (row.teacher_forced("seen") for row in pair)
    return Claim(
        "Does the CNN-LSTM learn nothing?",
        f"With statistics that are kept its teacher-forced error on learned notes is "
        f"{cnn.text(3)}, the LSTM's {lstm.text(3)}: it learns, "
        f"{_more(cnn, lstm, _times(cnn, lstm), 'better than the LSTM')}; {_alike(pair[0])}.",
    )


def _learns_without(rows: _Rows) -> Claim | None:
    pair = rows.both("cnn-plain", "lstm-512")
    if pair is None:
        return None
    cnn, lstm = (row.teacher_forced("seen") for row in pair)
    return Claim(
        "And without batch normalisation?",
        f"Teacher-forced error on learned notes {cnn.text(3)}, the LSTM's {lstm.text(3)}: "
        f"{_more(cnn, lstm, _times(cnn, lstm), 'better than the LSTM')}; {_alike(pair[0])}.",
    )


def _learns_our_way(rows: _Rows) -> Claim | None:
    pair = rows.both("cnn-trained-our-way", "lstm-trained-our-way")
    if pair is None:
        return None
    cnn, lstm = (row.teacher_forced("seen") for row in pair)
    return Claim(
        "And with both trained our way?",
        f"Teacher-forced error on learned notes, in energies of the prime: CNN-LSTM "
        f"{cnn.text(4)}, LSTM {lstm.text(4)}: "
        f"{_more(cnn, lstm, _times(cnn, lstm), 'better than the LSTM')}; {_alike(pair[0])}.",
    )


def _frozen(rows: _Rows) -> Claim | None:
    pair = rows.both("cnn-frozen", "cnn")
    if pair is None:
        return None
    frozen, kept = (row.teacher_forced("seen") for row in pair)
    return Claim(
        "Was it the statistics?",
        f"The same net with statistics frozen at 0 and 1: training loss {pair[0].loss.text(3)} "
        f"as before ({pair[1].loss.text(3)}), but teacher-forced error {frozen.text(3)} instead "
        f"of {kept.text(3)}; {_alike(pair[0])}.",
    )


def _spectrum(rows: _Rows) -> Claim | None:
    pair = rows.both("spectral", "lstm-512")
    if pair is None:
        return None
    with_it, without = (row.teacher_forced("unseen") for row in pair)
    return Claim(
        "Does the spectrum at the input hurt?",
        f"Teacher-forced error on unseen notes with it {with_it.text(3)}, without "
        f"{without.text(3)}: {_more(with_it, without, 'it hurts', 'it helps')}.",
    )


def _baselines(rows: _Rows) -> Claim | None:
    pair = rows.both("lstm-512", "guitar-esprit")
    if pair is None:
        return None
    lstm, esprit = (row.measure("unseen", "decay_ok") for row in pair)
    return Claim(
        "Is it better than extrapolation that learns nothing, on unseen guitar notes?",
        f"Decay ok: LSTM {lstm.text(2)}, ESPRIT {esprit.text(2)}: "
        f"{_more(lstm, Figure(esprit.mean, 0.0), 'yes', 'no')}.",
    )


def _layers(rows: _Rows) -> Claim | None:
    return _effect(rows, "lstm-2-layers", "Does a second recurrent layer matter?", "two layers")


def _latent(rows: _Rows) -> Claim | None:
    return _effect(rows, "vrnn-mean", "Does a latent variable help?", "VRNN")


def _trained_better(rows: _Rows) -> Claim | None:
    name = "lstm-trained-our-way"
    return _effect(rows, name, "Is it the training rather than the net?", "trained our way")


def _effect(rows: _Rows, name: str, question: str, word: str) -> Claim | None:
    """A relative of the LSTM against it, free-running on unseen notes."""
    pair = rows.both(name, "lstm-512")
    if pair is None:
        return None
    other, plain = (row.measure("unseen", "score") for row in pair)
    return Claim(
        question,
        f"Score on unseen notes: {word} {other.text(3)}, the plain LSTM {plain.text(3)}: "
        f"{_more(other, plain, 'better', 'worse')}.",
    )


_QUESTIONS: tuple[Callable[[_Rows], Claim | None], ...] = (
    _decays_seen, _learns, _learns_without, _learns_our_way, _frozen, _spectrum, _layers, _latent,
    _trained_better, _baselines,
)  # fmt: skip


def _times(a: Figure, b: Figure) -> str:
    return f"to {a.mean / b.mean:.1f} times the LSTM's error"


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
