"""Training: one update, its optimiser and losses, checkpoints and metrics of a run."""
