"""Recordings of notes: sources, names, pitch, catalogue, clips and the split."""
