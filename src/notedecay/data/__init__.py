"""Recordings of notes: where they come from, what they are, how they are made ready."""
