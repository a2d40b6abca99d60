"""Ablation: the contribution of each component of the best model."""
