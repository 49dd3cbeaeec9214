"""Evaluation: protocols with intervals and figures, and scores of plain arrays.

>>> import numpy as np
>>> from gaitjax import evaluation
>>> sorted(evaluation.PROTOCOLS)[:3]
['casiab', 'ccpg', 'cross_view_gallery']
>>> evaluation.rank1(np.eye(4)[[0, 1, 0, 1]], ["ann", "bob", "ann", "bob"])
100.0
"""

from gaitjax.evaluation.distances import distance_matrix
from gaitjax.evaluation.plain_arrays import nearest, rank1, retrieval_scores, verification_rates
from gaitjax.evaluation.protocols import PROTOCOLS, evaluate
from gaitjax.evaluation.record import format_record

__all__ = [
    "PROTOCOLS",
    "distance_matrix",
    "evaluate",
    "format_record",
    "nearest",
    "rank1",
    "retrieval_scores",
    "verification_rates",
]
