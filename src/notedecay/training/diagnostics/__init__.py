"""Diagnosis of nets in training: statistics of layers, warnings and pictures."""
