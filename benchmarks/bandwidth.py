"""What full bandwidth costs the champion of an instrument, and what it keeps.

    python benchmarks/bandwidth.py piano

Trains the best settings of the search on the training notes at several rates, continues the
validation notes, and prints costs as multiples of the instrument's own rate, in one run.
"""

from __future__ import annotations

import sys
import time

from notedecay.core.config import load_params
from notedecay.core.project import find_project
from notedecay.core.tables import read_json
from notedecay.data import catalogue, split
from notedecay.data.clips import prepare_clips
from notedecay.metrics import mean_scores
from notedecay.models import Signal, create
from notedecay.training import fit
from notedecay.training.evaluator import EvaluationSet

RATES = (16_000, 44_100)


def main(instrument: str) -> None:
    """Print a Markdown table."""
    project = find_project()
    params = load_params(project.params).instrument(instrument)
    config = params.prepare
    results = project.results(instrument)
    notes = {note.id: note for note in catalogue.read(results / "catalogue.json")}
    parts = split.read(results / "split.json")
    best = read_json(results / "best.json")
    print("| rate (Hz) | training | a continuation | decay ok | envelope dB | join dB | score |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    base: tuple[float, float] | None = None
    for rate in (config.rate, *RATES):
        wanted = [notes[id_] for part in ("train", "validation") for id_ in parts[part]]
        made = prepare_clips(
            project.data,
            wanted,
            rate=rate,
            seconds=config.seconds,
            highpass_hz=config.highpass_hz,
        )
        clips = {clip.id: clip for clip in made}
        signal = Signal(
            instrument=instrument,
            rate=rate,
            prime_seconds=config.prime_seconds,
            highpass_hz=config.highpass_hz,
        )
        settings = {**best["settings"], "epochs": params.train.epochs}
        continuator = create(best["continuator"], signal, settings)
        began = time.process_time()
        fit(continuator, [clips[id_] for id_ in parts["train"]], seed=0)
        trained = time.process_time() - began
        panel = EvaluationSet([clips[id_] for id_ in parts["validation"]], signal.prime_samples)
        began = time.process_time()
        continuations = panel.continuations(continuator)
        continued = (time.process_time() - began) / len(continuations)
        base = base or (trained, continued)
        means = mean_scores([j.scores for j in panel.score(continuations)])
        print(
            f"| {rate} | {trained / base[0]:.1f} x | {continued / base[1]:.1f} x "
            f"| {means['decay_ok']:.2f} | {means['envelope_db']:.1f} "
            f"| {means['join_snr_db']:.1f} | {means['score']:.3f} |"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "piano")
