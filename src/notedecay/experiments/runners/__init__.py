"""Runners of trials, behind one interface."""
