"""The search: Optuna studies that are persistent, resumable and repeatable."""
