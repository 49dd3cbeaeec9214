"""Evaluate a network: python -m gaitjax.evaluate --config NAME --checkpoint (DIR | weights.npz)."""

import argparse
import sys
from pathlib import Path

from gaitjax import command, sharding, zoo
from gaitjax.config import from_arguments, parser
from gaitjax.conversion import convert
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.zoo import shared


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(args.multihost)
    config = from_arguments(args.config, rest)
    wishes = Wishes(
        both_embeddings=args.both_embeddings,
        random_windows=args.seeds,
        untrained=args.compare_untrained,
        published=zoo.published(Path(args.config).stem, config.eval.protocol),
        ground_truth=args.ground_truth,
        save_embeddings=args.save_embeddings,
        figures=args.figures,
        probes=args.probes,
    )
    given, source = shared.local(args.checkpoint)
    path, workdir = convert.readable(config, given), args.workdir
    fetched = source.startswith(shared.SCHEME)
    if workdir is None and not path.is_dir():
        workdir = "." if fetched else given.parent
    evaluate_checkpoint(config, path, workdir, wishes, source if fetched else "")


def _parser() -> argparse.ArgumentParser:
    result = parser(
        "Evaluate a checkpoint on the test set: prints the protocol's numbers and writes\n"
        "evaluation.json and evaluation/ (figures, report.html).",
        "python -m gaitjax.evaluate --config gaitgraph2_grew --checkpoint weights.npz \\\n"
        "           --config.data.root=DIR",
    )
    add = result.add_argument
    add(
        "--checkpoint",
        required=True,
        help="work directory of a run, weights, hf://owner/name or a .pt",
    )
    add("--workdir", help="where results go (default: beside the checkpoint)")
    add("--save_embeddings", action="store_true", help="also write embeddings.npz")
    add("--both_embeddings", action="store_true", help="score embed_1 and embed_2 in one pass")
    add("--seeds", type=int, default=0, help="also score this many random test windows")
    add("--compare_untrained", action="store_true", help="also score fresh weights")
    add("--probes", action="store_true", help="also score what is left with frames frozen, ...")
    add("--multihost", action="store_true", help="one of several processes")
    add("--figures", action=argparse.BooleanOptionalAction, default=True, help="draw the report")
    add("--ground_truth", help="csv of answers to score a GREW submission with")
    return result


if __name__ == "__main__":
    sys.exit(main())
