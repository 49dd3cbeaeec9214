"""Meshes of some of the simulated devices."""

import jax


def mesh_of(count: int) -> jax.sharding.Mesh:
    """The first `count` devices along the axis `data`."""
    auto = (jax.sharding.AxisType.Auto,)
    return jax.make_mesh((count,), ("data",), auto, devices=jax.devices()[:count])
