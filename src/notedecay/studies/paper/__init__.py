"""The experiments of the paper: each runs, is measured, and keeps its place in one table.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""
