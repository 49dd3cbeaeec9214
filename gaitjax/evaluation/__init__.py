"""Evaluation: protocols, intervals, figures, report.

>>> from gaitjax import evaluation
>>> sorted(evaluation.PROTOCOLS)[:3]
['casiab', 'ccpg', 'cross_view_gallery']
"""

from gaitjax.evaluation.distances import distance_matrix
from gaitjax.evaluation.protocols import PROTOCOLS, evaluate, rank1
from gaitjax.evaluation.record import format_record

__all__ = ["PROTOCOLS", "distance_matrix", "evaluate", "format_record", "rank1"]
