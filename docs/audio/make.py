"""Make the pairs of this folder: a test note, and the shipped champion's continuation of it.

Run it in the project, after ``make repro`` or the stage ``prepare`` of each instrument:

    python docs/audio/make.py
"""

from __future__ import annotations

from pathlib import Path

import soundfile as sf

import notedecay
from notedecay import champions
from notedecay.audio import read_head, resample, to_full_scale
from notedecay.core.config import load_params
from notedecay.core.project import find_project
from notedecay.experiments.dataset import load_dataset
from notedecay.metrics import Reference

PAIRS = {
    "piano-c3": ("piano", "piano/ff/C3", "piano/iowa-ff/Piano.ff.C3.flac"),
    "piano-ab4": ("piano", "piano/ff/Ab4", "piano/iowa-ff/Piano.ff.Ab4.flac"),
    "guitar-e3": ("guitar", "guitar/steel/E3", "guitar/steel/E3.wav"),
}
"""Instrument, id of the note, and recording below ``data/``."""

RATE = 16_000
"""That of the files (Hz): players know it, unlike the rates of the models."""


def main() -> None:
    """Write the files, and print how good the continuations are."""
    project = find_project()
    params = load_params(project.params)
    for name, (instrument, id_, file) in PAIRS.items():
        dataset = load_dataset(project.results(instrument), instrument, params)
        [clip] = [one for one in dataset.part("test") if one.id == id_]
        model = champions.find(str(champions.shipped()[instrument])).model
        start = model.signal.prime_samples
        seconds = (len(clip.samples) - start) / clip.rate
        made = notedecay.generate(model, read_head(project.data / file), seconds)
        scores = Reference(clip.samples[start:], clip.rate, float(abs(clip.samples).max())).score(
            made.samples[start:]
        )
        sounds = [resample(samples, clip.rate, RATE) for samples in (clip.samples, made.samples)]
        for kind, samples in zip(("original", "continued"), to_full_scale(*sounds), strict=True):
            path = Path(__file__).with_name(f"{name}-{kind}.flac")
            sf.write(path, samples, RATE, subtype="PCM_16")
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
        print(f"{id_}: decay ok {scores.decay_ok:.2f}, score {scores.score:.2f}")


if __name__ == "__main__":
    main()
