"""Schemas of the JSON files that stages pass on; further keys are allowed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

Figure = float | None
"""None where a measure has no value."""


class Best(BaseModel):
    """Result of the search."""

    model: str
    settings: dict[str, Any]
    choice: str = ""


class Trained(BaseModel):
    """The run of the training."""

    run_id: str


class Champion(BaseModel):
    """The version that has the alias ``champion``."""

    version: str
    model: str
    learned: bool
    candidate: str | None


class Registered(BaseModel):
    """State of the registry after the gate."""

    name: str
    champion: Champion
    decisions: list[str]


class Means(BaseModel):
    """Means over notes that the gate needs."""

    score: Figure
    notes: float


class Candidate(BaseModel):
    """Means of one candidate."""

    unseen: Means


class Reported(BaseModel):
    """Means over notes that the report shows."""

    score: Figure
    decay_ok: Figure
    missing: Figure
    pitch_cents: Figure
    envelope_db: Figure
    excess_noise_db: Figure
    join_snr_db: Figure
    notes: float


class ReportedCandidate(BaseModel):
    """Means of one candidate, by split."""

    seen: Reported
    unseen: Reported


class Split(BaseModel):
    """Ids of notes; two parts more are there."""

    test: Annotated[list[str], Field(min_length=1)]


class CatalogueRow(BaseModel):
    """A note."""

    id: str
    file: str


NonEmpty = Field(min_length=1)
REPORTED: TypeAdapter[Any] = TypeAdapter(Annotated[dict[str, ReportedCandidate], NonEmpty])
SHAPES: dict[str, TypeAdapter[Any]] = {
    "best.json": TypeAdapter(Best),
    "train.json": TypeAdapter(Trained),
    "runs.json": TypeAdapter(Annotated[dict[str, str], NonEmpty]),
    "scores.json": TypeAdapter(Annotated[dict[str, Candidate], NonEmpty]),
    "registered.json": TypeAdapter(Registered),
    "split.json": TypeAdapter(Split),
    "catalogue.json": TypeAdapter(Annotated[list[CatalogueRow], NonEmpty]),
}
"""By name of the file."""
