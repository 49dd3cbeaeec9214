"""A trained network as one file: python -m gaitjax.export --config NAME --checkpoint W --to ..."""

import sys
from pathlib import Path

from gaitjax import command, files, models, sharding, weights
from gaitjax.config import from_arguments, parser
from gaitjax.errors import DataError
from gaitjax.export import check, onnx, program, stablehlo
from gaitjax.training import checkpoint, step
from gaitjax.zoo import shared

FORMS = {"stablehlo": stablehlo, "onnx": onnx}
NO_SAVED_MODEL = (
    "--to saved: TensorFlow's SavedModel is not written: the newest TensorFlow seen (2.21) refuses "
    "programs of JAX 0.10.2, whose StableHLO is newer (1.15 against 1.13.7); use onnx or stablehlo"
)


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    if args.to not in FORMS:
        raise DataError(NO_SAVED_MODEL)
    sharding.start(multihost=False)
    config = from_arguments(args.config, rest)
    path, source = shared.local(args.checkpoint)
    variables, metadata = checkpoint.load_variables(path)
    shapes = step.variable_shapes(config, models.build(config))
    variables, _ = weights.fit(variables, shapes, str(path))
    made = program.make(config, variables, {**metadata, "source": source}, args.frames)
    form, output = FORMS[args.to], Path(args.output)
    with files.whole(output) as temporary:
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
    return (
        f"{output}: {output.stat().st_size / 1e6:.1f} MB\n"
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
        choices=(*FORMS, "saved"),
        help="stablehlo: one file for JAX on CPU, GPU and TPU; onnx: for onnxruntime and browsers "
        "(pip install 'gaitjax[export]'); saved: refused, TensorFlow cannot read what JAX writes",
    )
    add("--output", required=True, type=command.path, help="file to write")
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
