"""The GaitGraph authors' own checkpoints (specification section 14):
python -m converters.tteepe --config NAME --checkpoint model.pth --output weights.npz
"""

import sys

from gaitjax.config import ConfigError, from_arguments, parser
from gaitjax.conversion.convert import convert, evaluate_command
from gaitjax.errors import DataError
from gaitjax.weights import WeightsError


def main(argv: list[str] | None = None) -> int:
    args, rest = _parser().parse_known_args(argv)
    try:
        config = from_arguments(args.config, rest)
        convert(config, "tteepe", args.checkpoint, args.output)
    except (ConfigError, DataError, WeightsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(evaluate_command(args.config, args.output, rest))
    return 0


def _parser():
    result = parser(
        "Convert a checkpoint of github.com/tteepe/GaitGraph or GaitGraph2 to weights that\n"
        "gaitjax reads without PyTorch.",
        "python -m converters.tteepe --config gaitgraph1_casiab_tteepe \\\n"
        "             --checkpoint gaitgraph_resgcn-n39-r8_coco_seq_60.pth --output weights.npz",
    )
    result.add_argument("--checkpoint", required=True, help="a .pth or Lightning .ckpt file")
    result.add_argument("--output", required=True, help="weights .npz, or a new work directory")
    return result


if __name__ == "__main__":
    sys.exit(main())
