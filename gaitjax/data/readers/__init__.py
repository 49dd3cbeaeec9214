"""Results of pose estimators, read as sequences of poses."""
