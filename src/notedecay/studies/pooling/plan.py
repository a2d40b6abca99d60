"""The trials of a pooling study: trained on an instrument's own notes, on all, or on the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from notedecay.core.config import Params
from notedecay.core.errors import UserError
from notedecay.core.project import Project
from notedecay.data import catalogue
from notedecay.data.clips import prepare_clips
from notedecay.data.folds import Fold, folds
from notedecay.data.note import Clip
from notedecay.experiments.dataset import load_dataset
from notedecay.experiments.trial import UNSEEN, Trial
from notedecay.models import Signal
from notedecay.studies.crossval.plan import FOLDS
from notedecay.studies.study import Placed

OWN, POOLED, OTHERS = "own", "pooled", "others only"
"""Labels of the rows: the notes that train a model which is evaluated on an instrument."""


def common_signal(names: Sequence[str], params: Params) -> Signal:
    """Signal settings for several instruments: highest rate and corner, longest prime of any.

    Raises
    ------
    UserError
        For fewer than two instruments, one that is named twice, or one that is not known.
    """
    if len(set(names)) < len(names) or len(names) < 2:
        raise UserError("name two or more different instruments: notedecay pool piano guitar")
    each = [params.instrument(name).prepare for name in names]
    return Signal(
        instrument="-".join(names),
        rate=max(one.rate for one in each),
        prime_seconds=max(one.prime_seconds for one in each),
        highpass_hz=max(one.highpass_hz for one in each),
    )


def prepare(project: Project, params: Params, name: str, signal: Signal) -> list[Clip]:
    """Cut an instrument's train and validation notes at the common rate and filter."""
    results = project.results(name)
    used = {c.id for c in load_dataset(results, name, params).only("train", "validation").clips}
    clips = prepare_clips(
        project.data,
        [note for note in catalogue.read(results / "catalogue.json") if note.id in used],
        rate=signal.rate,
        seconds=params.instrument(name).prepare.seconds,
        highpass_hz=signal.highpass_hz,
    )
    return list(clips)


def trials(
    best: Mapping[str, Any],
    signal: Signal,
    clips: Mapping[str, Sequence[Clip]],
    path: Path,
    params: Params,
) -> Iterator[Placed]:
    """List the trials: the condition is the instrument, the label says which notes train.

    Every fold of an instrument has a trial for ``own`` and ``pooled``. For ``others only`` one
    trial serves all folds; the other instruments' validation notes select its epoch.

    Parameters
    ----------
    best : mapping
        ``best.json``: model and settings of all trials.
    signal : Signal
        Of all clips.
    clips : mapping of str to sequence of Clip
        By instrument.
    path : Path
        The file that holds them all.
    params : Params
        Seed, epochs, and the share of validation notes.
    """
    divided = {
        name: folds(notes, FOLDS, params.seed, params.instrument(name).prepare.validation)
        for name, notes in clips.items()
    }
    for name in clips:
        firsts = [divided[other][0] for other in clips if other != name]
        train = [id_ for fold in firsts for id_ in (*fold.train, *fold.unseen)]
        held = [id_ for fold in firsts for id_ in fold.validation]
        others = Fold(tuple(train), tuple(held), tuple(clip.id for clip in clips[name]))
        own = [(OWN, fold) for fold in divided[name]]
        pooled = [(POOLED, Fold((*f.train, *train, *held), f.validation, f.unseen)) for _, f in own]
        config = params.instrument(name).train
        for label, fold in (*own, *pooled, (OTHERS, others)):
            trial = Trial(
                model=best["model"],
                settings={**best["settings"], "epochs": config.epochs},
                signal=signal,
                clips=path,
                train=fold.train,
                validation=fold.validation,
                evaluation={UNSEEN: fold.unseen},
                seed=params.seed,
                check_every=config.check_every,
            )
            yield Placed(name, label, trial)
