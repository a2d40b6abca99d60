"""The experiments of the paper, run again and evaluated in one table.

Sander & Harder, "Learning the decay of a sound signal", 2016.
"""
