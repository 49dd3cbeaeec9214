"""What accelerators' compilers make of every config, without an accelerator.

python -m gaitjax.performance.ahead_of_time --device h100 v5e --json FILE compiles the training
step and the embedding of each zoo config for each device, in float32 and bfloat16, each in a
process of its own with a time limit. FILE is written after each one; what it holds already is not
compiled again, nor is a program that is another's but for its constants. A training step that
does not fit its device is compiled at the largest batch that does.
`python docs/make_ahead_of_time.py` makes the table in docs/performance.md from it.
"""

import json
import sys
from pathlib import Path

import jax
from ml_collections import ConfigDict

from gaitjax import command, files, zoo
from gaitjax.config import load
from gaitjax.errors import ConfigError, TrainingError
from gaitjax.models.dtypes import DTYPES
from gaitjax.performance import compile_for, devices, fit
from gaitjax.performance import record as records


def row(
    config: ConfigDict, device: str, what: str, limit: float, known: dict[str, str] | None = None
) -> dict:
    """What one program is and takes, see `compile_for`, and of which "jax" and "commit"."""
    found = compile_for.compile_for(config, device, what, limit, known)
    if what == "train" and found.get("memory", 0) > devices.usable(device):
        try:
            batch, at_largest = fit.largest_batch(config, device, lambda _: None, found, limit)
            found = (at_largest or found) | {"batch": batch, "program": found["program"]}
        except TrainingError as error:
            found = {"error": str(error), "program": found["program"]}
    section = config.train if what == "train" else config.eval
    made = {"jax": jax.__version__, "commit": records.commit()}
    return {"batch": section.batch_size, "frames": section.frames, **found, **made}


def main(argv: list[str] | None = None) -> int:
    return command.run(lambda arguments: _main(arguments, argv), argv)


def _main(arguments: list[str], argv: list[str] | None) -> None:
    args = _parser().parse_args(arguments)
    for device in args.device:
        if problem := devices.missing(device):
            raise ConfigError(problem)
    record = json.loads(args.json.read_text()) if args.json.exists() else {"rows": {}}
    for name in args.config or sorted(zoo.ZOO):
        for device in args.device:
            for what in args.what:
                for dtype in args.dtype:
                    key = f"{name} {what} {dtype} {device}"
                    done = record["rows"].get(key)
                    if done and not ("error" in done and args.again):
                        continue
                    config = load(name)
                    config.model.dtype = dtype
                    found = row(config, device, what, args.limit, _known(record["rows"], device))
                    record["rows"][key] = found
                    record["machine"] = records.machine()
                    print(f"{key}: {_line(found)}", flush=True)
                    files.write_json(args.json, records.signed(record, _MODULE, argv))


def _known(rows: dict[str, dict], device: str) -> dict[str, str]:
    """The names of the programs compiled for a device."""
    done = {key: found for key, found in rows.items() if key.endswith(f" {device}")}
    return {
        found["program"]: key
        for key, found in done.items()
        if not {"same", "error"} & set(found) and "program" in found
    }


def _line(found: dict) -> str:
    size = f"{found['batch']} x {found['frames']}"
    if "same" in found:
        return f"{size}: as {found['same']}"
    if "error" in found:
        return f"{size}: {found['error']}"
    return (
        f"{size}, {found['lower_seconds'] + found['compile_seconds']:.0f} s, "
        f"{found['processor_seconds']:.0f} s of processors, "
        f"{found['fusions']} fusions, {found['convolutions']} convolutions, "
        f"{found['products']} products, scratch {found['scratch'] / 2**30:.2f} GiB"
    )


_MODULE = "gaitjax.performance.ahead_of_time"


def _parser():
    result = command.parser(
        "Compile every config for accelerators that are not here, and keep what their compilers\n"
        "say. Needs JAX's plugin for them (pip install 'gaitjax[cuda]' or 'gaitjax[tpu]').",
        "python -m gaitjax.performance.ahead_of_time --device h100 --json ahead_of_time.json",
        prog=f"python -m {_MODULE}",
    )
    add = result.add_argument
    add("--device", nargs="+", choices=devices.NAMES, required=True, help="which accelerators")
    add("--config", nargs="+", help="packaged configs (default: those of the zoo)")
    add(
        "--what",
        nargs="+",
        choices=compile_for.WHAT,
        default=compile_for.WHAT,
        help="default: both",
    )
    add("--dtype", metavar="TYPE", nargs="+", choices=DTYPES, default=DTYPES, help="default: both")
    add(
        "--limit",
        type=float,
        default=compile_for.LIMIT,
        help=f"seconds for each program (default: {compile_for.LIMIT})",
    )
    add("--again", action="store_true", help="try again what did not compile")
    add("--json", type=Path, required=True, help="file for the numbers, gone on with if there")
    return result


if __name__ == "__main__":
    sys.exit(main())
