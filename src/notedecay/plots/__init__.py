"""Pictures of notes, scores and catalogues, made with matplotlib."""

from notedecay.plots.charts import PitchPoint, comparison_bars, decay_scatter, scores_by_pitch
from notedecay.plots.error_charts import decay_over_prime, error_over_partials
from notedecay.plots.note import save, triple

__all__ = [
    "PitchPoint",
    "comparison_bars",
    "decay_over_prime",
    "decay_scatter",
    "error_over_partials",
    "save",
    "scores_by_pitch",
    "triple",
]
