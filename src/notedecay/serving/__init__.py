"""A registered model behind REST."""
