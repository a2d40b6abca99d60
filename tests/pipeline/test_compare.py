"""Pictures of the stage ``compare``: only what can be compared is drawn."""

from __future__ import annotations

from notedecay.audio.samples import Samples
from notedecay.data.note import Clip
from notedecay.data.pitch import hz
from notedecay.models import Signal, create
from notedecay.pipeline.compare import decays
from notedecay.training.evaluator import EvaluationSet
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)


def note(pitch: int) -> Samples:
    partials = [hz(pitch), 2 * hz(pitch), 3 * hz(pitch)]
    return damped(partials, [1.2, 0.8, 0.6], [1, 0.5, 0.3], seconds=1.8, rate=RATE, seed=pitch)


def test_a_candidate_without_decays_is_left_out_of_the_picture() -> None:
    clips = [Clip(f"bells/ff/{p}", p, note(p), RATE) for p in range(50, 60)]
    notes = EvaluationSet(clips, SIGNAL.prime_samples)
    names = ("silence", "repeat", "esprit")  # a partial that is repeated may beat
    made = {name: notes.evaluate(create(name, SIGNAL, {})) for name in names}
    figure = decays("bells", {name: {"test": scored} for name, scored in made.items()}, notes)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [name for name in names if any(name in word for word in words)] == ["esprit"]
