"""Trials: one notion of training and evaluation, run by runners and tracked by one sink."""
