"""The command that uses a model: generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notedecay.cli.imports import uncollected
from notedecay.cli.options import use_one_thread
from notedecay.cli.output import note, result_path

Model = Annotated[
    str,
    typer.Option(help="piano, guitar, models:/notedecay-piano@champion, or a model's folder."),
]


def generate(
    model: Model,
    prime: Annotated[Path, typer.Option(help="A recording; its first 330 ms are used.")],
    out: Annotated[Path, typer.Option(help="Where the WAV goes.")],
    seconds: Annotated[float, typer.Option(help="Length of the continuation (s), up to 60.")] = 5.0,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Sample 1 to 100 continuations that fit the prime: OUT-1.wav, OUT-2.wav."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of --samples.")] = 0,
) -> None:
    """Continue a note: write the prime and what follows it."""
    from notedecay.core.errors import UserError

    if out.suffix.lower() != ".wav":
        raise UserError(f"{out}: the result is a WAV file; give a name that ends in .wav")
    if out.resolve() == prime.resolve():
        raise UserError(f"{out} is the prime itself; give the result another name")
    use_one_thread()
    with uncollected():
        from notedecay import audio, champions, inference

    recording, found = audio.read_head(prime), champions.find(model)
    if found.source:
        note(found.source)
    if samples is None:
        made = {out: inference.generate(found.model, recording, seconds)}
    else:
        sampled = inference.draw(found.model, recording, seconds, count=samples, seed=seed)
        made = {out.with_stem(f"{out.stem}-{n}"): one for n, one in enumerate(sampled, 1)}
    for conversion in next(iter(made.values())).conversions:
        note(f"{prime}: {conversion}")
    for path, one in made.items():
        audio.write(path, one.samples, one.rate)
        total = len(one.samples) / one.rate
        result_path(path, f"{total:.2f} s at {one.rate} Hz, the prime included")
