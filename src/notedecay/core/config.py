"""The parameters of the pipeline: typed, and validated once, where they are read.

No default is in the code: ``params.yaml`` says all, and DVC sees every change. Its section
``defaults`` holds for every instrument; an instrument holds only what differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from notedecay.core.errors import UserError, nearest
from notedecay.core.validation import parse
from notedecay.core.yaml_file import read_yaml

Scalar = bool | int | float | str


class Section(BaseModel):
    """A group of parameters; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Prepare(Section):
    """Settings of the clips made of recordings.

    Attributes
    ----------
    rate : int
        Of the clips (Hz); the paper's are twice the instrument's highest pitch.
    seconds : float
        Longest clip, counted from the onset (s).
    prime_seconds : float
        Length of the prime (s).
    highpass_hz : float
        Corner of the rumble filter (Hz); rumble does not decay.
    validation, test : float
        Share of the pitches held out for the search and for the final evaluation.
    """

    rate: int = Field(ge=2000, le=96_000)
    seconds: float = Field(ge=1.0, le=60.0)
    prime_seconds: float = Field(ge=0.05, le=5.0)
    highpass_hz: float = Field(ge=0.0, le=200.0)
    validation: float = Field(gt=0.0, lt=0.5)
    test: float = Field(gt=0.0, lt=0.5)

    @model_validator(mode="after")
    def _room_for_a_continuation(self) -> Prepare:
        if self.seconds < self.prime_seconds + 0.5:
            raise ValueError("seconds must leave at least 0.5 s after prime_seconds")
        return self


class Range(Section):
    """An interval for the search, on a logarithmic scale where ``log``."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("needs low < high, and low > 0 where log is true")
        return self


def _kind_of_choice(value: Any) -> str:
    """Kind of choice that was meant, so that a mistake is reported for that kind alone."""
    if isinstance(value, dict | Range):
        return "range"
    return "choices" if isinstance(value, list) else "value"


Choice = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[list[Scalar], Field(min_length=1), Tag("choices")]
    | Annotated[Scalar, Tag("value")],
    Discriminator(_kind_of_choice),
]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]


class Search(Section):
    """Settings of the search: its length and what it may choose.

    Attributes
    ----------
    trials : int
        Finished trials to reach (pruned and failed ones count).
    startup : int
        Complete trials of each model before the sampler may prefer some model to another.
    window : int
        A trial is proposed by the results of all but the last ``window`` before it, so that as
        many can run at once. Another window gives other trials; another number of workers does
        not.
    objectives : list of str
        What trials are judged by: ``score`` (to be high), ``calibration`` and ``cost`` (low).
    epochs : int
        Length of a trial that is not pruned.
    trial_seconds : float or None
        Longest training of a trial (s); which epoch that is depends on the machine.
    check_every : int
        Epochs between two evaluations on the validation notes, free-running.
    warmup_checks : int
        Evaluations before a trial may be pruned.
    patience : int or None
        The search ends when so many trials in a row bring no gain beyond chance.
    finalists : int
        How many of the best trials are compared by folds of the train and validation notes.
    folds : int
        Number of these folds.
    seeds : int
        Best points of an earlier study, of other code or data, that a new one begins with.
    spaces : dict of str to dict
        Per model, per setting: a value, a list of choices or ``{low, high, log}``.
    device : str
        ``auto``, ``cpu``, ``mps`` or ``cuda``.
    workers : int or None
        Trials at once; by default one for each core, or as many as the GPUs have room for.
    gpus_per_trial : float
        Share of a GPU that a trial takes.
    """

    trials: int = Field(ge=1, le=10_000)
    startup: int = Field(ge=0, le=1000)
    window: int = Field(ge=1, le=1000)
    objectives: list[Literal["score", "calibration", "cost"]] = Field(min_length=1)
    epochs: int = Field(ge=1, le=10_000)
    trial_seconds: Annotated[float, Field(gt=0.0)] | None
    check_every: int = Field(ge=1, le=10_000)
    warmup_checks: int = Field(ge=0, le=10_000)
    patience: Annotated[int, Field(ge=1, le=10_000)] | None
    finalists: int = Field(ge=1, le=20)
    folds: int = Field(ge=2, le=20)
    seeds: int = Field(ge=0, le=100)
    spaces: dict[str, dict[str, Choice]] = Field(min_length=1)
    device: Device
    workers: Annotated[int, Field(ge=1, le=1000)] | None
    gpus_per_trial: float = Field(gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _score_first(self) -> Search:
        if self.objectives[0] != "score" or len(set(self.objectives)) < len(self.objectives):
            raise ValueError("objectives begin with score, and name each objective once")
        return self


class Train(Section):
    """Settings of the final training of the best configuration of the search."""

    epochs: int = Field(ge=1, le=10_000)
    check_every: int = Field(ge=1, le=10_000)
    device: Device


class Evaluate(Section):
    """Settings of the final comparison.

    Attributes
    ----------
    baselines : dict of str to dict
        Models without learning, and their settings.
    seen_notes : int
        How many training notes are scored, spread over the pitches.
    checkpoint_notes : int
        How many validation notes at most are scored while a model is trained, spread over the
        pitches; the final table has them all.
    listen : int
        How many notes of each split are kept as audio and pictures.
    """

    baselines: dict[str, dict[str, Scalar]]
    seen_notes: int = Field(ge=1, le=10_000)
    checkpoint_notes: int = Field(ge=1, le=10_000)
    listen: int = Field(ge=1, le=50)


class Register(Section):
    """The gate to the alias ``champion``.

    Attributes
    ----------
    measure : str
        Mean over the unseen test notes that a challenger must improve.
    margin : float
        By how much.
    """

    measure: Literal["score", "decay_ok"]
    margin: float = Field(ge=0.0, le=1.0)


INSTRUMENT_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}"
"""Names a folder, an experiment, a registered model and a stage of DVC."""
InstrumentName = Annotated[str, Field(pattern=f"^{INSTRUMENT_NAME}$")]


NAMED_WHOLE = (("search", "spaces"), ("evaluate", "baselines"))
"""Mappings whose entries are of a model: an instrument's entry replaces that of the defaults."""


def merge(defaults: Any, own: Any, *, path: tuple[str, ...] = ()) -> Any:
    """Put an instrument's own values into the defaults.

    Parameters
    ----------
    defaults, own : any
        As read from YAML. Where one of them is not a mapping, ``own`` is the result.
    path : tuple of str
        Keys above these values.

    Returns
    -------
    any
        Mappings are merged key by key; every other value of ``own``, lists too, replaces the
        default. A search space or a baseline replaces that of the same model as a whole, and
        null (``lstm: null``) takes the model out.
    """
    if not isinstance(defaults, dict) or not isinstance(own, dict):
        return own
    if path in NAMED_WHOLE:
        merged = {**defaults, **own}
        return {k: v for k, v in merged.items() if v is not None or k not in defaults}
    merged = {k: merge(defaults[k], v, path=(*path, k)) if k in defaults else v
              for k, v in own.items()}  # fmt: skip
    return {**defaults, **merged}


class Instrument(Section):
    """All parameters of one instrument."""

    prepare: Prepare
    search: Search
    train: Train
    evaluate: Evaluate
    register_: Register = Field(alias="register")


class Params(Section):
    """The whole of ``params.yaml``.

    Attributes
    ----------
    seed : int
        Of everything that is random.
    defaults : Instrument
        Parameters that hold for every instrument that does not say otherwise.
    instruments : dict of str to Instrument
        Parameters of each instrument: the defaults, with the instrument's own values put in.
    """

    seed: int = Field(ge=0, lt=2**31)
    defaults: Instrument
    instruments: dict[InstrumentName, Instrument] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("instruments"), dict):
            return values
        defaults = values.get("defaults")
        merged = {name: merge(defaults, own) for name, own in values["instruments"].items()}
        return {**values, "instruments": merged}

    def instrument(self, name: str) -> Instrument:
        """Parameters of one instrument; an unknown name is a :class:`UserError`."""
        if name not in self.instruments:
            raise UserError(
                f"params.yaml has no instrument '{name}'{nearest(name, self.instruments)}"
            )
        return self.instruments[name]


def load_params(path: Path) -> Params:
    """Read and validate ``params.yaml``.

    Raises
    ------
    UserError
        For a file that is missing, not YAML or of the earlier form, a key that does not exist
        (with the nearest one that does) and a value of the wrong type or out of range.
    """
    values = read_yaml(path)
    if isinstance(values, dict) and "instruments" in values and "defaults" not in values:
        raise UserError(
            f"{path} has no 'defaults': it is of an earlier version. Move the parameters of one "
            "instrument under 'defaults:', and keep under each instrument only what differs, "
            "such as 'piano: {}'"
        )
    return parse(Params, values, str(path))
