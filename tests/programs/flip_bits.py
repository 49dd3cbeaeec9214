"""Flips one bit of a checkpoint or a weights file, again and again: is it used unnoticed?

python -m tests.programs.flip_bits --count 1000

Makes a small work directory and its weights file, then for each flip reads the damaged one as
resuming, `load_variables` and `weights.load` do. Noticed is a DamagedError; harmless is a bit
that changes no value; used is a wrong value without a word, of which there must be none.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from gaitjax import weights
from gaitjax.errors import DamagedError, WeightsError
from gaitjax.training import checkpoint


def state() -> dict:
    """Weights and optimiser state with as many arrays as a small network has."""
    rng = np.random.default_rng(0)
    layer = lambda: {"kernel": rng.normal(size=(64, 48)), "bias": rng.normal(size=48)}  # noqa: E731
    params = {f"layer{i}": layer() for i in range(12)}
    stats = {"bn": {"mean": rng.normal(size=48), "var": rng.uniform(size=48)}}
    tree = {"params": params, "batch_stats": stats, "moments": params, "step": np.array(7)}
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), tree)


def same(a, b) -> bool:
    """Whether two trees hold the same bits."""
    a, b = jax.tree.leaves_with_path(a), jax.tree.leaves_with_path(b)
    return len(a) == len(b) and all(
        p == q and np.asarray(x).tobytes() == np.asarray(y).tobytes()
        for (p, x), (q, y) in zip(a, b, strict=True)
    )


def outcome(read: Callable, right) -> str:
    """What becomes of one damaged file."""
    try:
        found = read()
    except (DamagedError, WeightsError):
        return "noticed"
    return "harmless" if same(found, right) else "USED"


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` with one bit changed."""
    damaged = bytearray(data)
    damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def largest(folder: Path) -> Path:
    return max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


def run(count: int, folder: Path, seed: int = 0) -> dict[str, Counter]:
    """What became of `count` flips of each kind of file, by reader."""
    rng, whole = np.random.default_rng(seed), state()
    variables = {key: whole[key] for key in ("params", "batch_stats")}
    config = ConfigDict({"train": {"steps": 7}, "name": "flip"})
    work, damaged = folder / "work", folder / "damaged"
    with checkpoint.manager(work, keep=1) as checkpoints:
        checkpoint.save(checkpoints, 7, whole, config)
    files = {
        "npz": weights.save(folder / "w.npz", variables, {"step": 7, "config": {"a": 1}}),
        "safetensors": weights.save(folder / "w.safetensors", variables, {"step": 7}),
    }
    data = {name: path.read_bytes() for name, path in files.items()}
    right = {name: weights.load(path) for name, path in files.items()}
    state_file = largest(work / "checkpoints" / "7" / "state")
    meta_file = work / "checkpoints" / "7" / "meta" / "metadata"
    meta = checkpoint.load_variables(work)

    def resumed():
        with checkpoint.manager(damaged, keep=1) as checkpoints:
            return checkpoint.restore(checkpoints, whole)

    def loaded():
        variables, metadata = checkpoint.load_variables(damaged)
        return variables, metadata | {"source": meta[1]["source"]}

    found = {name: Counter() for name in ("resume", "load_variables", "meta", *files)}
    for _ in range(count):
        for path, readers in (
            (state_file, {"resume": (resumed, whole), "load_variables": (loaded, meta)}),
            (meta_file, {"meta": (loaded, meta)}),
        ):
            shutil.rmtree(damaged, ignore_errors=True)
            shutil.copytree(work, damaged)
            (damaged / path.relative_to(work)).write_bytes(flip(path.read_bytes(), rng))
            for name, (read, expected) in readers.items():
                found[name][outcome(read, expected)] += 1
        for name, path in files.items():
            path.write_bytes(flip(data[name], rng))
            found[name][outcome(lambda path=path: weights.load(path), right[name])] += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="flips of each kind (default 200)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(args.count, Path(folder), args.seed)
    for name, counts in found.items():
        told = ", ".join(f"{counts[kind]} {kind}" for kind in ("noticed", "harmless", "USED"))
        print(f"{name:15} {args.count} flips: {told}")
    return int(any(counts["USED"] for counts in found.values()))


if __name__ == "__main__":
    sys.exit(main())
