"""Time and peak memory of evaluation at full size, next to plain NumPy.

    python -m gaitjax.performance.full_size --set grew
    python -m gaitjax.performance.full_size --set oumvlp --dim 384 --parts 1 --fraction 0.1

Embeddings are synthetic: a centre for each identity and noise. Each measurement runs in a
process of its own; its peak includes Python, JAX and the embeddings themselves.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gaitjax import command
from gaitjax.data import sets
from gaitjax.evaluation.protocols import evaluate

# Test sets as published: GREW's identities with two gallery sequences each and 24,000 probes,
# Gait3D's with six each; of OUMVLP's as many as have its 133,000 sequences if each has all.
OUMVLP_VIEWS = sets.OUMVLP_VIEWS
SETS = {"oumvlp": 4750} | {name: sets.get(name).numbers[1] for name in ("grew", "gait3d")}
NOISE = 0.4  # leaves some answers wrong at full size


def synthetic(name: str, dim: int, parts: int, fraction: float):
    """Embeddings (N, dim, parts) and N labels, types and views of a set's size and layout."""
    identities = max(20, round(SETS[name] * fraction))
    keys = []
    for i in range(identities):
        label = f"{i:05d}"
        if name == "oumvlp":
            keys += [(label, label, kind, view) for kind in ("00", "01") for view in OUMVLP_VIEWS]
        elif name == "grew":
            keys += [(label, label, f"0{k}", f"{i}g{k}") for k in (1, 2)]
            keys += [(label, "probe", "03", f"{i}p{k}") for k in range(4)]
        else:
            keys += [(label, label, f"camid{k}", f"seq{k}") for k in range(6)]
    owner, labels, types, views = map(np.array, zip(*keys, strict=True))
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((identities, dim, parts), dtype=np.float32)
    centres /= (dim * parts) ** 0.25  # noise and identity stay comparable in any dimension
    embeddings = rng.standard_normal((len(keys), dim, parts), dtype=np.float32)
    embeddings *= NOISE
    for start in range(0, len(keys), 4096):
        rows = slice(start, start + 4096)
        embeddings[rows] += centres[owner[rows].astype(int)]
    return embeddings, labels, types, views


def tiled(name, embeddings, labels, types, views, metric) -> str:
    """The project's evaluation, without intervals; returns what it found."""
    options: dict[str, Any] = {}
    if name == "gait3d":
        chosen = types == "camid0"
        options["probe_set"] = [
            "-".join(key) for key in zip(labels[chosen], types[chosen], views[chosen], strict=True)
        ]
    protocol = "grew_submission" if name == "grew" else name
    record = evaluate(
        protocol, embeddings, labels, types, views, metric=metric, samples=0, **options
    )
    if name == "grew":
        rows = record["submission"]["csv"].splitlines()[1:]
        first = [row.split(",")[1] for row in rows]
        owner = [row.split("p")[0] for row in rows]
        return f"Rank-1 {100 * np.mean(np.equal(first, owner)):.2f}"
    return f"Rank-1 {record['headline']['Rank-1']:.2f}"


def plain(name, embeddings, labels, types, views, metric) -> str:
    """The same in NumPy: every distance matrix held whole, for ranks sorted whole."""

    def distances(probes, gallery):
        x, y = (np.ascontiguousarray(embeddings[r].transpose(2, 0, 1)) for r in (probes, gallery))
        total = np.zeros((len(probes), len(gallery)), np.float32)
        for a, b in zip(x, y, strict=True):
            if metric == "cos":
                a = a / np.linalg.norm(a, axis=1, keepdims=True)
                b = b / np.linalg.norm(b, axis=1, keepdims=True)
                total -= a @ b.T
            else:
                squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
                total += np.sqrt(np.maximum(squares, 0))
        return total

    if name == "oumvlp":
        cells = []
        for p in OUMVLP_VIEWS:
            probes = np.flatnonzero((types == "00") & (views == p))
            for g in OUMVLP_VIEWS:
                if p != g:
                    gallery = np.flatnonzero((types == "01") & (views == g))
                    found = labels[gallery[distances(probes, gallery).argmin(axis=1)]]
                    cells.append(np.mean(found == labels[probes]))
        return f"Rank-1 {100 * np.mean(cells):.2f}"
    is_probe = types == ("03" if name == "grew" else "camid0")
    probes, gallery = np.flatnonzero(is_probe), np.flatnonzero(~is_probe)
    owner = [v.split("p")[0].zfill(5) for v in views[probes]] if name == "grew" else labels[probes]
    order = np.argsort(distances(probes, gallery), axis=1, kind="stable")
    return f"Rank-1 {100 * np.mean(labels[gallery[order[:, 0]]] == owner):.2f}"


METHODS: dict[str, Callable[..., str]] = {"tiled": tiled, "plain": plain}


def measure(method: str, name: str, dim: int, parts: int, fraction: float, metric: str) -> dict:
    """Seconds, result and peak memory of this process, in GiB."""
    data = synthetic(name, dim, parts, fraction)
    start = time.perf_counter()
    found = METHODS[method](name, *data, metric)
    seconds = time.perf_counter() - start
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return dict(
        method=method,
        sequences=len(data[0]),
        embeddings_gib=round(data[0].nbytes / 2**30, 2),
        seconds=round(seconds, 1),
        peak_gib=round(peak, 2),
        found=found,
    )


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    parser = command.parser(
        __doc__.splitlines()[0],
        "python -m gaitjax.performance.full_size --set gait3d",
        prog="python -m gaitjax.performance.full_size",
    )
    parser.add_argument("--set", choices=SETS, default="grew", dest="name", help="whose size")
    parser.add_argument("--dim", type=int, default=256, help="numbers per part (default 256)")
    parser.add_argument("--parts", type=int, default=16, help="parts (default 16)")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the identities")
    parser.add_argument("--metric", choices=("euc", "cos"), default="euc", help="default: euc")
    parser.add_argument("--method", choices=METHODS, help="only this one, in this process")
    args = parser.parse_args(argv)
    del args.debug
    if args.method:
        print(json.dumps(measure(**vars(args))))
        return
    for method in METHODS:
        words = [sys.executable, "-m", "gaitjax.performance.full_size", "--method", method]
        words += [f"--{k}={v}" for k, v in vars(args).items() if k not in ("name", "method")]
        subprocess.run([*words, f"--set={args.name}"], check=True)


if __name__ == "__main__":
    sys.exit(main())
