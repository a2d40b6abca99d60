"""Make the pairs of this folder and the picture of the front page, with the shipped champions.

Each is a test note and its continuation. Run it in the project, after ``make repro`` or the stages
``configure`` and ``prepare`` of each instrument:

    python docs/audio/make.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import soundfile as sf

import notedecay
from notedecay import champions
from notedecay.audio import read_head, resample, to_full_scale
from notedecay.core.config import load_params
from notedecay.core.project import find_project
from notedecay.experiments.dataset import load_dataset
from notedecay.metrics import Reference
from notedecay.plots import save, triple
from notedecay.reports.images import shrink

PAIRS = {
    "piano-c3": ("piano", "piano/ff/C3", "piano/iowa-ff/Piano.ff.C3.flac"),
    "piano-ab4": ("piano", "piano/ff/Ab4", "piano/iowa-ff/Piano.ff.Ab4.flac"),
    "guitar-e3": ("guitar", "guitar/steel/E3", "guitar/steel/E3.wav"),
}
"""Instrument, id of the note, and recording below ``data/``."""

RATE = 16_000
"""That of the files (Hz): players know it, unlike the rates of the models."""

HERE = Path(__file__).resolve().parent
PICTURE = "piano-c3", HERE.parent / "pictures/note.png"


def main() -> None:
    """Write the files, and print how good the continuations are."""
    project = find_project()
    params = load_params(project.params)
    for name, (instrument, id_, file) in PAIRS.items():
        dataset = load_dataset(project.results(instrument), instrument, params)
        [clip] = [one for one in dataset.part("test") if one.id == id_]
        original, rate = clip.samples, clip.rate
        model = champions.find(str(champions.shipped()[instrument])).model
        start = model.signal.prime_samples
        seconds = (len(original) - start) / rate
        made = notedecay.generate(model, read_head(project.data / file), seconds).samples
        scores = Reference(original[start:], rate, float(abs(original).max())).score(made[start:])
        print(f"{id_}: decay ok {scores.decay_ok:.2f}, score {scores.score:.2f}")
        pair = to_full_scale(*(resample(samples, rate, RATE) for samples in (original, made)))
        for kind, samples in zip(("original", "continued"), pair, strict=True):
            sf.write(HERE / f"{name}-{kind}.flac", samples, RATE, subtype="PCM_16")
        if name == PICTURE[0]:
            with tempfile.TemporaryDirectory() as folder:
                drawn = Path(folder) / "note.png"
                save(triple(original, made, made[start:], rate, start / rate, id_), drawn)
                shrink(drawn, PICTURE[1])


if __name__ == "__main__":
    main()
