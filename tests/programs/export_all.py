"""Every network exported to every form: errors and times, the table of docs/export.md.

python -m tests.programs.export_all --to stablehlo,onnx [--batch 4] [CONFIG=FRAMES ...]
Weights are at random, batch statistics those of the walks. Times are medians of five runs of so
many walks, ours those of `Program.run`.
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
from gaitjax.export import check, filling, onnx, program, saved, stablehlo
from gaitjax.training import step
from gaitjax.transforms import pipeline

FORMS = {"stablehlo": stablehlo, "onnx": onnx, "saved": saved}
NETWORKS = {
    "gaitgraph1_grew": 60,
    "gaitgraph2_grew": 60,
    "gaittr_grew": 30,
    "gpgait_gait3d": 30,
    "gpgaitpp_casiab": 30,
    "skeletongait_gait3d": 8,
    "skeletongaitpp_gait3d": 8,
}


def seconds(run, walks, repeats: int = 5) -> float:
    """Median of `repeats` calls after one to warm up."""
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(run(*walks))
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def settled(config, model, variables: dict, walks: list[np.ndarray], passes: int = 10) -> dict:
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


def of_the_same_maps(config, model, variables: dict, made: program.Program, form, folder: Path):
    """(largest relative difference with the maps that the file draws, share of pixels that differ).

    Of networks of maps: how exact all but the drawing is, and how often a pixel is a level off.
    """
    frames, fill = made.about["frames"], filling.FILL[config.data.impute_test or config.data.impute]

    def drawn(poses, lengths, *images):
        mask = jax.numpy.arange(frames) < lengths[:, None]
        poses = fill(jax.numpy.where(mask[..., None, None], poses, 0), mask)
        batch = {"poses": poses, **dict(zip(["silhouettes"], images, strict=False))}
        return pipeline.eval_input(config, model, batch)

    def embedded(maps, lengths):
        mask = jax.numpy.arange(frames) < lengths[:, None]
        return models.embed(model, variables, maps, mask)[config.eval.embedding]

    walks = check.walks(made)
    runs = []
    for name, each in (("drawn", made._replace(run=drawn)), ("whole", made)):
        form.save(each, folder / name)
        runs.append(form.load(folder / name))
    maps, found = (np.asarray(run(*walks)) for run in runs)
    wanted = np.asarray(jax.jit(embedded)(maps, walks[1]))
    ours = np.asarray(jax.jit(drawn)(*walks))
    a_level = np.abs(maps - ours) > 0.5 / 255  # less is rounding
    return np.abs(found - wanted).max() / np.abs(wanted).max(), a_level.mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=[f"{n}={t}" for n, t in NETWORKS.items()])
    parser.add_argument("--to", default="stablehlo,onnx")
    parser.add_argument("--batch", type=int, default=0, help="walks to time, instead of errors")
    args = parser.parse_args()
    for network in args.networks:
        name, _, frames = network.partition("=")
        config, frames = configs.load(name), int(frames or NETWORKS[name])
        clips, model = step.example_clips(config), models.build(config)
        init = functools.partial(step.init_variables, config, model, jax.random.key(0), clips)
        variables = jax.jit(init)()
        made = program.make(config, variables, {}, frames)
        if not args.batch:
            variables = settled(config, model, variables, check.walks(made))
        variables = jax.tree.map(np.asarray, variables)
        made = program.make(config, variables, {}, frames)
        walks = [np.resize(a, (args.batch, *a.shape[1:])) for a in check.walks(made)]
        row = [name, str(made.about["frames"])]
        if args.batch:
            row.append(f"ours {seconds(jax.jit(made.run), walks):.3f} s")
        for form in args.to.split(","):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "exported")
                FORMS[form].save(made, path)
                run = FORMS[form].load(path)
                size = sum(f.stat().st_size for f in (path, *path.rglob("*")) if f.is_file()) / 1e6
                row.append(f"{form} {size:.1f} MB")
                if args.batch:
                    row[-1] += f", {seconds(run, walks):.3f} s"
                    continue
                row[-1] += f", {check.difference(config, variables, made, run):.1e}"
                if form == "onnx" and "maps" in model.inputs:
                    error, pixels = of_the_same_maps(
                        config, model, variables, made, FORMS[form], Path(folder)
                    )
                    row[-1] += f", of the same maps {error:.1e} ({pixels:.1e} of the pixels differ)"
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
