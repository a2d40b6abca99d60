"""An Optuna study: persistent, resumable, repeatable."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from notedecay.core.commands import installed, pasteable
from notedecay.core.errors import UserError
from notedecay.tracking.database import LOCK_SECONDS, STUDIES, check_database, failure, sqlite_url
from notedecay.tracking.runs import process, process_is_gone

optuna.logging.set_verbosity(optuna.logging.WARNING)

DONE = (TrialState.COMPLETE, TrialState.PRUNED)


def study_name(instrument: str, **what: Any) -> str:
    """A name that changes with anything that makes trials incomparable.

    Parameters
    ----------
    instrument : str
        Begins the name.
    **what
        Plain values: space, data, seed, length of a trial, ...
    """
    text = json.dumps(what, sort_keys=True)
    return f"{instrument}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def open_study(name: str, database: Path, warmup_epochs: int) -> optuna.Study:
    """Open or make a study; trials that a killed process has left are queued again.

    Parameters
    ----------
    name : str
        From :func:`study_name`.
    database : Path
        SQLite file.
    warmup_epochs : int
        Epochs before which no trial is pruned.

    Raises
    ------
    UserError
        For a file that is no database of studies, or is not writable.
    """
    check_database(database, STUDIES)
    try:
        study = optuna.create_study(
            storage=_storage(database),
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=warmup_epochs),
        )
    except (OptunaError, SQLAlchemyError) as error:
        raise failure(database, STUDIES, error) from error
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if process_is_gone(trial.user_attrs.get("process", "")):
            requeue(study, trial)
    return study


def _storage(database: Path) -> RDBStorage:
    url = sqlite_url(database)
    try:
        return RDBStorage(url, engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}})
    except RuntimeError as error:  # the tables are those of another Optuna
        who, remedy = "a newer", "install that one, such as with"
        command = pasteable(sys.executable, "-m", "pip", "install", "--upgrade", "optuna")
        if "storage upgrade" in str(error):
            who, remedy = "an older", "keep a copy of it, then run"
            command = pasteable(installed("optuna"), "storage", "upgrade", "--storage", url)
        raise UserError(
            f"{database}: {who} Optuna than {optuna.__version__} has made it: {remedy} {command}"
        ) from error


def requeue(study: optuna.Study, trial: optuna.Trial | FrozenTrial) -> None:
    """End a trial that was interrupted, and queue its parameters for the next call."""
    study.tell(trial.number, state=TrialState.FAIL)
    study.enqueue_trial(trial.params)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Finished trials: complete or pruned."""
    return study.get_trials(deepcopy=False, states=DONE)


def ask_until(study: optuna.Study, trials: int, seed: int) -> Iterator[optuna.Trial]:
    """Trials to run until the study has enough of them.

    Each trial has a sampler seeded from the study's seed and the number of finished trials, so that
    a resumed study goes on as if it had not been interrupted. A sampler seeded once would repeat
    its first trials after every resume.
    """
    while (so_far := len(finished(study))) < trials:
        own = trial_seed(seed, so_far)
        study.sampler = optuna.samplers.TPESampler(seed=own, n_startup_trials=4)
        trial = study.ask()
        trial.set_user_attr("process", process())
        trial.set_user_attr("seed", own)
        yield trial


def trial_seed(seed: int, number: int) -> int:
    """Seed of a trial, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
