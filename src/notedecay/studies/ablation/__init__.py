"""What each component of the best model contributes."""
