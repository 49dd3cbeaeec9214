"""Evaluate a network: python -m gaitjax.evaluate --config NAME --checkpoint (DIR | weights.npz)."""

import argparse
import json
import os
import sys
from pathlib import Path

import jax
import numpy as np
from flax import linen as nn
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import evaluation, models, sharding, weights, zoo
from gaitjax.config import ConfigError, from_arguments, parser
from gaitjax.data import partitions
from gaitjax.data.feed import Feed, open_feed
from gaitjax.errors import DataError
from gaitjax.evaluation import embedding
from gaitjax.evaluation.figures import skeleton_figure
from gaitjax.evaluation.report import write_report
from gaitjax.training import checkpoint, step


def score(
    config: ConfigDict,
    embeddings: np.ndarray,
    feed: Feed,
    out_dir: Path | None = None,
    ground_truth: str | None = None,
) -> dict:
    """The record of `config.eval.protocol` for embeddings (S, D, P) of the test set.

    `out_dir` and `ground_truth` concern GREW submissions only.
    """
    options = {}
    if config.eval.protocol == "gait3d":
        options["probe_set"] = partitions.load(config.data).probe
    if config.eval.protocol == "grew_submission":
        options = {"out_dir": out_dir, "ground_truth": ground_truth}
    return evaluation.evaluate(
        config.eval.protocol,
        embeddings,
        feed.labels,
        feed.types,
        feed.views,
        metric=config.eval.metric,
        gallery_types=tuple(config.eval.gallery_types),
        probe_types=tuple(config.eval.probe_types),
        compat=config.compat,
        half=config.eval.half,
        **options,
    )


def evaluate_variables(
    config: ConfigDict, model: nn.Module, variables: dict, feed: Feed, mesh: Mesh
) -> dict:
    """Embed the test set with `variables` and score it."""
    embeddings = embedding.embed_dataset(config, model, variables, feed, mesh)
    return score(config, _chosen(embeddings, config.eval.embedding), feed)


def _chosen(embeddings: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in embeddings:
        raise ConfigError(f"eval.embedding={name!r}: the network gives {', '.join(embeddings)}")
    return embeddings[name]


def scalars(result: dict) -> dict[str, float]:
    """The headline numbers of a record as metrics, named eval/<score>."""
    return {f"eval/{name}": value for name, value in result["headline"].items()}


def untrained_variables(config: ConfigDict, model: nn.Module) -> dict:
    """Fresh weights of `config.seed`, for comparison."""
    key = jax.random.key(config.seed)
    return jax.jit(lambda: step.init_variables(config, model, key, step.example_clips(config)))()


def evaluate(
    config: ConfigDict,
    checkpoint_path: str | Path,
    workdir: str | Path | None = None,
    *,
    save_embeddings: bool = False,
    both_embeddings: bool = False,
    seeds: int = 0,
    compare_untrained: bool = False,
    figures: bool = True,
    ground_truth: str | None = None,
    published: float | None = None,
) -> dict:
    """Evaluate a checkpoint; writes evaluation.json and evaluation/ in the work directory.

    Args:
      checkpoint_path: work directory of a training run, or a weights .npz.
      workdir: where results go; default: beside the checkpoint.
      save_embeddings: also write embeddings.npz.
      both_embeddings: also score the other embedding of the same pass.
      seeds: also score this many random test windows, as the reference draws one.
      compare_untrained: also score fresh weights.
      figures: also write figures and the HTML report.
      ground_truth: answers of a GREW submission, see its protocol.
      published: a published value of the first headline number, to compare with.

    Returns:
      The record (see `gaitjax.evaluation.record`), with "checkpoint", "embedding" and
      "window", and where asked for "embeddings", "random_windows", "untrained" and
      "published" (see `compare`).
    """
    checkpoint_path = Path(checkpoint_path)
    if workdir is None:
        workdir = checkpoint_path if checkpoint_path.is_dir() else checkpoint_path.parent
    workdir = Path(workdir)
    main_process = jax.process_index() == 0
    say = print if main_process else (lambda *_: None)

    model = models.build(config)
    variables, metadata = checkpoint.load_variables(checkpoint_path)
    shapes = step.variable_shapes(config, model)
    variables, _ = weights.fit(variables, shapes, str(checkpoint_path))
    mesh = sharding.make_mesh()
    feed = open_feed(config, "test", mesh)
    say(_describe(config, checkpoint_path, metadata, feed))

    embeddings = embedding.embed_dataset(config, model, variables, feed, mesh)
    chosen = _chosen(embeddings, config.eval.embedding)
    result = score(config, chosen, feed, workdir / "evaluation", ground_truth)
    result |= {
        "checkpoint": {"path": str(checkpoint_path), **_origin(metadata)},
        "embedding": config.eval.embedding,
        "window": config.eval.window if config.eval.clip == "ordered" else "all",
    }
    say(evaluation.format_record(result))
    if both_embeddings:
        result["embeddings"] = {
            name: score(config, value, feed)["headline"] for name, value in embeddings.items()
        }
        for name, headline in result["embeddings"].items():
            say(f"{name}: {_line(headline)}")
    if seeds:
        result["random_windows"] = _random_windows(config, model, variables, feed, mesh, seeds)
        say(_format_spread(result["random_windows"]))
    if published is not None and result["headline"]:
        result["published"] = compare(result, published)
        say(_format_comparison(result["published"]))
    untrained = None
    if compare_untrained:
        fresh = untrained_variables(config, model)
        untrained = evaluate_variables(config, model, fresh, feed, mesh)
        result["untrained"] = untrained["headline"]
        say(f"untrained: {_line(untrained['headline'])}")
    if not main_process:
        return result

    workdir.mkdir(parents=True, exist_ok=True)
    _write(workdir / "evaluation.json", json.dumps(result, indent=1) + "\n")
    if save_embeddings:
        names = dict(labels=feed.labels, types=feed.types, views=feed.views)
        temporary = workdir / f".embeddings.{os.getpid()}.npz"
        np.savez(temporary, embeddings=chosen, **names)
        os.replace(temporary, workdir / "embeddings.npz")
    if figures:
        say(f"report: {_report(config, result, untrained, feed, workdir / 'evaluation')}")
    return result


def _random_windows(config, model, variables, feed, mesh, seeds: int) -> dict:
    """Headline numbers over `seeds` random test windows: runs, mean and standard deviation."""
    if config.eval.clip != "ordered":
        raise ConfigError("--seeds varies the test window, but this config tests whole sequences")
    runs = []
    for seed in range(seeds):
        drawn = config.copy_and_resolve_references()
        drawn.eval.window, drawn.seed = "random", seed
        runs.append(evaluate_variables(drawn, model, variables, feed, mesh)["headline"])
    columns = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        name: {"mean": float(np.mean(v)), "std": float(np.std(v, ddof=len(v) > 1)), "runs": v}
        for name, v in columns.items()
    }


def _format_spread(spread: dict) -> str:
    return "\n".join(
        f"random windows: {name} {v['mean']:.2f} +- {v['std']:.2f} "
        f"({min(v['runs']):.2f} to {max(v['runs']):.2f}, {len(v['runs'])} seeds)"
        for name, v in spread.items()
    )


def compare(result: dict, published: float) -> dict:
    """A published number beside ours: the mean over random windows where there are some.

    Returns:
      {"score", "published", "ours", "spread", "within"}: spread is two standard deviations
      of the random windows, at least the rounding of the published number; within says
      whether the difference is no larger.
    """
    name, ours = next(iter(result["headline"].items()))
    spread = 0.0
    if name in result.get("random_windows", {}):
        ours = result["random_windows"][name]["mean"]
        spread = 2 * result["random_windows"][name]["std"]
    spread = max(spread, 0.05)
    return {
        "score": name,
        "published": published,
        "ours": ours,
        "spread": spread,
        "within": abs(ours - published) <= spread,
    }


def _format_comparison(c: dict) -> str:
    verdict = "within the spread" if c["within"] else "NOT within the spread"
    return (
        f"published: {c['score']} {c['published']:.2f}, ours {c['ours']:.2f}, "
        f"spread {c['spread']:.2f}: {verdict}"
    )


def _line(headline: dict) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in headline.items())


def _describe(config, path: Path, metadata: dict, feed) -> str:
    e, m = config.eval, config.model
    lines = [
        f"checkpoint: {path}" + (f" (step {metadata['step']})" if "step" in metadata else ""),
        f"data: {config.data.name} test set, {len(feed.labels)} sequences",
        f"protocol: {e.protocol}, {e.metric}, embedding {e.embedding}, "
        + (f"{e.window} window of {e.frames} frames" if e.clip == "ordered" else "whole sequences"),
    ]
    if "tta_centre" in m:
        lines.append(f"centre joints: input {m.input_centre}, test-time views {m.tta_centre}")
    return "\n".join(lines)


def _origin(metadata: dict) -> dict:
    return {
        key: value
        for key, value in metadata.items()
        if key not in ("config", "source", "torch_buffers")
    }


def _report(config, result: dict, untrained: dict | None, feed: Feed, folder: Path) -> Path:
    """Write the HTML report, its figures and a few drawn walkers; returns the page."""
    page = write_report(
        result,
        folder,
        details={
            "data": f"{config.data.name}, test set of {len(feed.labels)} sequences",
            "checkpoint": result["checkpoint"]["path"],
            "embedding": result["embedding"],
            "window": result["window"],
        },
        poses=feed.poses,
        joints=config.model.joints,
        untrained=untrained,
    )
    if feed.poses is not None:
        # One walk of the first identity from up to six views.
        rows = np.flatnonzero((feed.labels == feed.labels[0]) & (feed.types == feed.types[0]))[:6]
        strips = {
            f"{feed.labels[i]}, {feed.types[i]}, view {feed.views[i]}": feed.poses(i) for i in rows
        }
        figure = skeleton_figure(strips, config.model.joints)
        figure.savefig(folder / "walkers.png")
    return page


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)


def _published(name_or_path: str, config: ConfigDict) -> float | None:
    """The zoo's number for a config and the protocol it is evaluated by."""
    entry = zoo.ZOO.get(Path(name_or_path).stem)
    return entry.published.get(config.eval.protocol) if entry else None


def main(argv: list[str] | None = None) -> int:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(args.multihost)
    try:
        config = from_arguments(args.config, rest)
        evaluate(
            config,
            args.checkpoint,
            args.workdir,
            save_embeddings=args.save_embeddings,
            both_embeddings=args.both_embeddings,
            seeds=args.seeds,
            compare_untrained=args.compare_untrained,
            figures=args.figures,
            ground_truth=args.ground_truth,
            published=_published(args.config, config),
        )
    except (ConfigError, DataError, weights.WeightsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    result = parser(
        "Evaluate a checkpoint on the test set: prints the protocol's numbers and writes\n"
        "evaluation.json and evaluation/ (figures, report.html).",
        "python -m gaitjax.evaluate --config gaitgraph2_grew --checkpoint weights.npz \\\n"
        "           --config.data.root=DIR",
    )
    add = result.add_argument
    add("--checkpoint", required=True, help="work directory of a run, or a weights .npz")
    add("--workdir", help="where results go (default: beside the checkpoint)")
    add("--save_embeddings", action="store_true", help="also write embeddings.npz")
    add("--both_embeddings", action="store_true", help="score embed_1 and embed_2 in one pass")
    add("--seeds", type=int, default=0, help="also score this many random test windows")
    add("--compare_untrained", action="store_true", help="also score fresh weights")
    add("--multihost", action="store_true", help="one of several processes")
    add("--figures", action=argparse.BooleanOptionalAction, default=True, help="draw the report")
    add("--ground_truth", help="csv of answers to score a GREW submission with")
    return result


if __name__ == "__main__":
    sys.exit(main())
