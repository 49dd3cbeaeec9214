"""OpenGait's checkpoints, from a file or from the Hugging Face hub:
python -m converters.opengait --config NAME --checkpoint model.pt --output weights.npz
"""

import sys

from gaitjax import command, zoo
from gaitjax.config import from_arguments, parser
from gaitjax.conversion import hub
from gaitjax.conversion.convert import OUTPUT, add_selection, convert, evaluate_command, selection


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    arguments = _parser()
    args, rest = arguments.parse_known_args(argv)
    if args.zoo is None and (args.config is None or args.revision is not None):
        arguments.error("--checkpoint needs --config and takes no --revision")
    name, path, origin = args.config or args.zoo, args.checkpoint, None
    released = None if args.zoo is None else zoo.entry(args.zoo)
    config = from_arguments(name, rest)
    if released is not None:
        path, commit = hub.fetch(zoo.REPO, released.folder, args.revision)
        origin = {"hub": f"{zoo.REPO}/{released.folder}", "commit": commit}
    convert(config, "opengait", path, args.output, origin, selection(args))
    print(evaluate_command(name, args.output, rest))


def _parser():
    result = parser(
        "Convert a checkpoint of OpenGait to weights that gaitjax reads without PyTorch.",
        "python -m converters.opengait --zoo gaitgraph2_grew --output weights.npz\n"
        "         python -m converters.opengait --config gaitgraph2_grew --checkpoint model.pt \\\n"
        "             --output weights.npz",
        config_required=False,
    )
    where = result.add_mutually_exclusive_group(required=True)
    where.add_argument("--checkpoint", help="a .pt or .safetensors file; give its --config too")
    where.add_argument("--zoo", help="a name from `python -m gaitjax.zoo list`: fetched, cached")
    result.add_argument("--revision", help="branch, tag or commit of the hub's repository")
    result.add_argument("--output", required=True, help=OUTPUT)
    add_selection(result)
    return result


if __name__ == "__main__":
    sys.exit(main())
