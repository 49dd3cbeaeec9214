"""A walk, and another person's, for tests of what reads poses."""

import numpy as np

from gaitjax.data import walkers

WALK = walkers.identity(0, 3, 24)[0][2].astype(np.float64)  # (T, 17, 3), seen from the side
T = len(WALK)
OTHER = WALK[::-1] + np.array([400.0, 30.0, -0.2])  # far away, walking the other way, less sure
