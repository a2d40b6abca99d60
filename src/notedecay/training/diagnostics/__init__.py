"""What happens inside a network during training."""
