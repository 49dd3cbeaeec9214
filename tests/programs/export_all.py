"""Every network exported to every form: errors and times, the table of docs/export.md.

python -m tests.programs.export_all --to stablehlo,onnx [--batch 8] [CONFIG=FRAMES ...]
Weights are at random, batch statistics those of the walks. Times: medians of runs of `batch` walks,
ours those of `Program.run`.
"""

import argparse
import functools
import statistics
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from gaitjax import config as configs
from gaitjax import models
from gaitjax.export import check, onnx, program, stablehlo
from gaitjax.training import step
from gaitjax.transforms import pipeline

FORMS = {"stablehlo": stablehlo, "onnx": onnx}
NETWORKS = {
    "gaitgraph1_grew": 60,
    "gaitgraph2_grew": 60,
    "gaittr_grew": 60,
    "gpgait_gait3d": 60,
    "gpgaitpp_casiab": 60,
    "skeletongait_gait3d": 30,
    "skeletongaitpp_gait3d": 30,
}


def seconds(run, walks, repeats: int = 5) -> float:
    """Median of `repeats` calls after one to warm up."""
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(run(*walks))
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def settled(config, model, variables: dict, walks: list[np.ndarray], passes: int = 50) -> dict:
    """`variables` whose batch statistics are those of walks: raw pixels are not left as large."""
    poses, *images = (np.nan_to_num(each[:, :8]) for each in (walks[0], *walks[2:]))
    poses[(poses == 0).all(axis=-1)] = (300, 250, 0)
    poses = jax.numpy.asarray(poses)
    batch = {"poses": poses, **dict(zip(["silhouettes"], images, strict=False))}

    def once(stats: dict) -> dict:
        x = pipeline.eval_input(config, model, batch)
        given = {"params": variables["params"], "batch_stats": stats}
        keys = {"dropout": jax.random.key(0)}
        return model.apply(given, x, train=True, mutable=["batch_stats"], rngs=keys)[1]

    stats, update = variables["batch_stats"], jax.jit(once)
    for _ in range(passes):
        stats = update(stats)["batch_stats"]
    return {**variables, "batch_stats": stats}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=[f"{n}={t}" for n, t in NETWORKS.items()])
    parser.add_argument("--to", default="stablehlo,onnx")
    parser.add_argument("--batch", type=int, default=0, help="walks to time; 0: no times")
    args = parser.parse_args()
    for network in args.networks:
        name, _, frames = network.partition("=")
        config = configs.load(name)
        clips, model = step.example_clips(config), models.build(config)
        init = functools.partial(step.init_variables, config, model, jax.random.key(0), clips)
        variables = jax.jit(init)()
        made = program.make(config, variables, {}, int(frames or NETWORKS[name]))
        variables = jax.tree.map(np.asarray, settled(config, model, variables, check.walks(made)))
        made = program.make(config, variables, {}, int(frames or NETWORKS[name]))
        walks = [np.resize(a, (args.batch, *a.shape[1:])) for a in check.walks(made)]
        ours = jax.jit(made.run)
        row = [name, f"{made.about['frames']}"]
        if args.batch:
            row.append(f"ours {seconds(ours, walks):.3f} s")
        for form in args.to.split(","):
            with tempfile.TemporaryDirectory() as folder:
                path, start = Path(folder, "exported"), time.perf_counter()
                FORMS[form].save(made, path)
                taken = time.perf_counter() - start
                run = FORMS[form].load(path)
                error = check.difference(config, variables, made, run)
                files = [path, *path.rglob("*")]
                size = sum(f.stat().st_size for f in files if f.is_file()) / 1e6
                row.append(f"{form} {size:.1f} MB, {error:.1e}, written in {taken:.0f} s")
                if args.batch:
                    row[-1] += f", {seconds(run, walks):.3f} s"
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
