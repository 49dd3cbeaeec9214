"""One-axis device mesh: the same code for one device, several devices and several hosts."""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec


def make_mesh() -> Mesh:
    """All devices of all hosts along the axis `data`."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
    """Every device holds the whole array."""
    return NamedSharding(mesh, PartitionSpec())


def batched(mesh: Mesh) -> NamedSharding:
    """The first axis is split over the devices."""
    return NamedSharding(mesh, PartitionSpec("data"))


def put(array, sharding: NamedSharding) -> jax.Array:
    """A host array, the same on every host, as one global array.

    `array` may be anything that slices into NumPy arrays; each host reads its own part only.
    """
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


def put_tree(tree, sharding: NamedSharding):
    """`put` for every leaf of a pytree of arrays or scalars."""
    return jax.tree.map(lambda leaf: put(np.asarray(leaf), sharding), tree)
