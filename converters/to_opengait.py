"""Weights of gaitjax as a checkpoint that OpenGait loads strictly:
python -m converters.to_opengait --config NAME --checkpoint (DIR | weights.npz) --output model.pt
"""

import sys
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import command, files, models, weights
from gaitjax.config import from_arguments, parser
from gaitjax.conversion import checkpoint_file, core
from gaitjax.conversion.rules import rules
from gaitjax.errors import DataError
from gaitjax.skeleton import joint_format
from gaitjax.training import checkpoint, step


def export(config: ConfigDict, path: str | Path, output: str | Path) -> None:
    """Write the weights at `path` (a work directory or .npz) as the checkpoint file `output`.

    Weights that were converted from such a file give the same values, bit for bit.

    Raises:
      WeightsError, DataError: nothing to read there, or it does not fit the network.
    """
    output = files.expanded(output)
    if output.suffix not in (".pt", ".pth"):
        raise DataError(f"--output {output}: expected a file *.pt")
    variables, metadata = checkpoint.load_variables(path)
    template = step.variable_shapes(config, models.build(config))
    variables, _ = weights.fit(variables, template, str(path))
    state = core.to_torch(variables, rules(config), metadata.get("torch_buffers", {}))
    iteration = metadata.get("step", 0)
    checkpoint_file.write(output, state, iteration)
    print(f"wrote {output}: {len(state)} torch entries, iteration {iteration}")
    if joint_format(config.model.joints).name == "coco_tteepe":
        print("note: OpenGait takes another bone of the nose than these weights were made for")


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    export(from_arguments(args.config, rest), args.checkpoint, args.output)


def _parser():
    result = parser(
        "Write weights as a checkpoint that OpenGait loads strictly.",
        "python -m converters.to_opengait --config gaitgraph2_grew --checkpoint out \\\n"
        "             --output GaitGraph2-50000.pt",
    )
    result.add_argument(
        "--checkpoint", required=True, help="work directory of a run, or a weights .npz"
    )
    result.add_argument("--output", required=True, help="the .pt file to write")
    return result


if __name__ == "__main__":
    sys.exit(main())
