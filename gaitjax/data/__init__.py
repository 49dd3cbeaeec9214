"""Poses on the host: reading, packing and sampling. numpy only."""
