"""A trained network as one file: python -m gaitjax.export --config NAME --checkpoint W --to ..."""

import sys
from pathlib import Path

from gaitjax import command, files, models, sharding, weights
from gaitjax.config import from_arguments, parser
from gaitjax.export import check, onnx, program, saved, stablehlo
from gaitjax.training import checkpoint, step
from gaitjax.zoo import shared

FORMS = {"stablehlo": stablehlo, "onnx": onnx, "saved": saved}
WHOLE = {"saved": files.whole_folder}  # the others are one file


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(multihost=False)
    config = from_arguments(args.config, rest)
    path, source = shared.local(args.checkpoint)
    variables, metadata = checkpoint.load_variables(path)
    if source.startswith(shared.SCHEME):  # a path here says nothing elsewhere
        metadata["fetched"] = source
    shapes = step.variable_shapes(config, models.build(config))
    variables, _ = weights.fit(variables, shapes, str(path))
    made = program.make(config, variables, metadata, args.frames)
    form, output = FORMS[args.to], Path(args.output)
    with WHOLE.get(args.to, files.whole)(output) as temporary:
        form.save(made, temporary)
        found = check.difference(config, variables, made, form.load(temporary))
    print(_said(made, output))
    print(f"checked: made-up walks differ by {found:.1e} of the largest value from evaluation's")


def _said(made: program.Program, output: Path) -> str:
    inputs = ", ".join(
        f"{name} {dtype} ({', '.join(shape)})"
        for name, (dtype, *shape) in made.about["inputs"].items()
    )
    of = made.about["embedding"]
    size = sum(f.stat().st_size for f in (output, *output.rglob("*")) if f.is_file())
    return (
        f"{output}: {size / 1e6:.1f} MB\n"
        f"in: {inputs}\n"
        f"out: float32 ({', '.join(map(str, of['shape']))}), compared by {of['compared_by']}"
    )


def _parser():
    result = parser(
        "Write a trained network as a file that runs without gaitjax: poses in pixels in,\n"
        "the embeddings of gaitjax.evaluate out, checked against it. docs/export.md tells how to\n"
        "use each kind.",
        "python -m gaitjax.export --config gaittr_grew --checkpoint weights.npz \\\n"
        "           --to stablehlo --output gaittr.stablehlo",
    )
    add = result.add_argument
    add("--checkpoint", required=True, help="work directory, weights file or hf://owner/name")
    add(
        "--to",
        required=True,
        choices=FORMS,
        help="stablehlo: one file for JAX on CPU, GPU and TPU; onnx: for onnxruntime and browsers "
        "(pip install 'gaitjax[export]'); saved: a folder for TensorFlow "
        "(pip install 'gaitjax[saved]')",
    )
    add("--output", required=True, type=command.path, help="file to write, or folder for saved")
    add(
        "--frames",
        type=int,
        default=0,
        help="that sequences are padded to; longer ones have to be cut "
        f"(default: {program.FRAMES}, or the test window if that is longer)",
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
