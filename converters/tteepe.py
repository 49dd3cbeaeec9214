"""The GaitGraph authors' own checkpoints (specification section 14):
python -m converters.tteepe --config NAME --checkpoint model.pth --output weights.npz
"""

import sys

from gaitjax import command
from gaitjax.config import from_arguments, parser
from gaitjax.conversion.convert import OUTPUT, add_selection, convert, evaluate_command, selection


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    config = from_arguments(args.config, rest)
    convert(config, "tteepe", args.checkpoint, args.output, select=selection(args))
    print(evaluate_command(args.config, args.output, rest))


def _parser():
    result = parser(
        "Convert a checkpoint of github.com/tteepe/GaitGraph or GaitGraph2 to weights that\n"
        "gaitjax reads without PyTorch.",
        "python -m converters.tteepe --config gaitgraph1_casiab_tteepe \\\n"
        "             --checkpoint gaitgraph_resgcn-n39-r8_coco_seq_60.pth --output weights.npz",
    )
    result.add_argument("--checkpoint", required=True, help="a .pth or Lightning .ckpt file")
    result.add_argument("--output", required=True, help=OUTPUT)
    add_selection(result)
    return result


if __name__ == "__main__":
    sys.exit(main())
