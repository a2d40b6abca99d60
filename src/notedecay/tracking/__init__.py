"""Tracking: runs, metrics, audio and pictures in MLflow."""
