"""The registry: models by name, the gate to the alias ``champion``, loading."""
