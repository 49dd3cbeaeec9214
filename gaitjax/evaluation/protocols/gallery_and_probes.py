"""Which sequences are gallery and which are probes, protocol by protocol.

Those of data sets with a protocol of their own kind stand in their records (`gaitjax.data.sets`).
Sources: specification 9.3, 9.4, 9.6.
"""

from collections.abc import Sequence

import numpy as np

from gaitjax.data import sets
from gaitjax.data.sets import Roles
from gaitjax.errors import DataError
from gaitjax.evaluation.task import Task

SINGLE_VIEW = {name: record.roles for name, record in sets.SETS.items() if record.roles}
CROSS_VIEW = {name: sets.SETS[name].cross_view or roles for name, roles in SINGLE_VIEW.items()}

CCPG = {
    "CL": Roles(("U1_D1", "U2_D2", "U3_D3"), {"CL": ("U0_D0_BG", "U0_D0")}),
    "UP": Roles(("U0_D3",), {"UP": ("U3_D3",)}),
    "DN": Roles(("U1_D1",), {"DN": ("U1_D0",)}),
    "BG": Roles(("U0_D0",), {"BG": ("U0_D0_BG",)}),
}


def chosen_roles(roles: Roles | None, gallery_types, probe_types) -> Roles:
    """`roles`, unless the caller names types: then those, as one condition."""
    if not gallery_types and not probe_types and roles is not None:
        return roles
    if not gallery_types or not probe_types:
        raise DataError("name both gallery_types and probe_types, or neither")
    return Roles(
        tuple(gallery_types), {"all": tuple(probe_types)}, views=roles.views if roles else ()
    )


def cross_view_roles(task: Task) -> Roles:
    """The cross-view roles of the data set whose gallery types the data has."""
    present = [
        name for name, r in CROSS_VIEW.items() if selected(task, r.gallery, r.contains).any()
    ]
    if len(present) != 1:
        raise DataError(
            "cross_view_gallery: the types do not tell "
            f"{' or '.join(sets.SETS[name].title for name in CROSS_VIEW)} apart "
            f"(found {_some(task.types)}); pass gallery_types and probe_types"
        )
    return CROSS_VIEW[present[0]]


def selected(task: Task, wanted: Sequence[str], contains: bool = False) -> np.ndarray:
    """(N,) bool: rows whose type is, or contains, one of `wanted`."""
    if contains:
        return np.array([any(w in t for w in wanted) for t in task.types], bool)
    return np.isin(task.types, wanted)


def split(task: Task, roles: Roles) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Gallery rows, and probe rows by condition; conditions without a probe are left out.

    Raises:
      DataError: an unknown view, an empty gallery, no probe in any condition.
    """
    strange = sorted(set(task.views) - set(roles.views)) if roles.views else []
    if strange:
        raise DataError(f"unknown view '{strange[0]}'; the views are: {', '.join(roles.views)}")
    gallery = np.flatnonzero(selected(task, roles.gallery, roles.contains))
    probes = {
        name: np.flatnonzero(selected(task, wanted, roles.contains))
        for name, wanted in roles.probes.items()
    }
    probes = {name: rows for name, rows in probes.items() if len(rows)}
    verb = "contains" if roles.contains else "is"
    if not len(gallery):
        raise DataError(
            f"empty gallery: no type {verb} one of {', '.join(roles.gallery)}; "
            f"the types are: {_some(task.types)}"
        )
    if not probes:
        wanted = sorted({t for types in roles.probes.values() for t in types})
        raise DataError(
            f"no probes: no type {verb} one of {', '.join(wanted)}; "
            f"the types are: {_some(task.types)}"
        )
    return gallery, probes


def _some(values: np.ndarray, limit: int = 8) -> str:
    found = sorted(set(values))
    return ", ".join(found[:limit]) + (f", ... ({len(found)})" if len(found) > limit else "")
