"""Models without learning: silence, repetition, Burg, ESPRIT."""
