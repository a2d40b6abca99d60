"""Trainings that need neither tracking nor search: on any machine, many side by side."""
