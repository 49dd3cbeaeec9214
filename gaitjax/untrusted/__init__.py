"""Readers of strangers' files: nothing in a file runs, and none takes more than its size allows."""
