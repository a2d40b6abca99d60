"""A registered model behind REST: the model as MLflow loads it, and the HTTP app around it."""
