"""PyTorch checkpoints to variables of the networks, and back."""
