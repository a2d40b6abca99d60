"""The final figures: cross-validated by pitch, opened once, so that nothing is tuned on them."""
