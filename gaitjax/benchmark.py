"""What training and evaluation cost on this machine; needs no data set.

Each config is measured in a process of its own, which is killed when its time is up, and each
line is printed as soon as it is known. `--against torch` times the same networks in PyTorch in
turns with ours.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import command, files
from gaitjax.command import tables
from gaitjax.config import load, override_all, parser
from gaitjax.errors import ConfigError
from gaitjax.models.dtypes import DTYPES
from gaitjax.performance import against_torch, children
from gaitjax.performance import record as records
from gaitjax.performance.measure import DEFAULT, PARTS, Row

LIMIT = 115  # seconds for a config: five are through in ten minutes

COLUMNS = {  # heading -> (field, format)
    "seconds": ("seconds", "{:.4f}"),
    "seq/s": ("sequences_per_s", "{:,.1f}"),
    "frames/s": ("frames_per_s", "{:,.0f}"),
    "GFLOP": ("gflop", "{:,.1f}"),
    "GB": ("gbyte", "{:,.1f}"),
    "% peak": ("share_of_peak", "{:.0%}"),
    "% copy": ("share_of_copy", "{:.0%}"),
    "% step": ("share_of_step", "{:.1%}"),
    "compile s": ("compile_s", "{:.1f}"),
    "cached s": ("cached_compile_s", "{:.1f}"),
    "MiB": ("scratch_mib", "{:,.0f}"),
}


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    cells = [["", *COLUMNS]]
    for row in rows:
        numbers = [form.format(row[f]) if f in row else "" for f, form in COLUMNS.values()]
        cells.append([row["what"], *numbers])
    return "\n".join(tables.aligned(cells))


def measured(config: ConfigDict, options: dict, limit: float, say: Callable) -> dict:
    """What one config costs: "rows", "peak", "machine", "peak_memory_mib", and perhaps "error"."""
    job = {"config": json.loads(config.to_json()), **options}
    found: dict = {"rows": []}
    with tempfile.TemporaryDirectory() as folder:  # so that the first compilation is one
        environment = os.environ | {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        for said in children.lines("gaitjax.performance.measure", job, limit, environment):
            if "what" in said:
                found["rows"].append(said)
                say(f"  {said['what']}: {said['seconds']:.4f} s, {_rate(said)}")
            else:
                found |= said
    return found


def _rate(row: Row) -> str:
    share = f", {row['share_of_peak']:.0%} of peak" if "share_of_peak" in row else ""
    return f"{row['sequences_per_s']:,.1f} sequences/s{share}"


def benchmark(configs: dict[str, ConfigDict], args, say: Callable, argv=None) -> dict:
    """Measure every config; the record, written as JSON after each: the rest may be stopped."""
    record: dict = {"configs": {}}
    for name, found in _found(configs, args, say):
        if "error" in found:
            say(f"  {name}: {found['error']}")
        record.setdefault("machine", found.pop("machine", {}))
        record["configs"][name] = _about(configs[name]) | found
        if args.json:
            files.write_json(args.json, records.signed(record, "gaitjax.benchmark", argv))
    return record


def _found(configs: dict[str, ConfigDict], args, say: Callable) -> Iterator[tuple[str, dict]]:
    """(name, what it costs) of every config, when it is known."""
    if args.against:
        options = args.repeats, args.limit, say, args.layouts, args.at_once
        yield from against_torch.compare(configs, *options)
        return
    for name, config in configs.items():
        size = _about(config)
        say(f"\n{name}, {size['batch_size']} x {size['frames']} frames, {size['dtype']}")
        options = {"what": args.what, "repeats": args.repeats}
        found = measured(config, options, args.limit, say)
        if found["rows"]:
            say(table(found["rows"]))
        yield name, found


def _about(config: ConfigDict) -> dict:
    train, dtype = config.train, config.model.get("dtype", "float32")
    size = {"batch_size": train.batch_size, "frames": train.frames}
    return size | {"dtype": dtype, "remat": train.remat}


def _configs(args, rest: list[str]) -> dict[str, ConfigDict]:
    """The config asked for, or one of each network, at a small size unless at their own."""
    chosen = {}
    for known, (size, frames) in {args.config: (0, 0)}.items() if args.config else DEFAULT.items():
        for dtype in args.dtype or ("",):
            config = load(known)
            if not args.config and not args.own_size:
                config.train.batch_size, config.train.frames = size, frames
            own = [f"--config.model.dtype={dtype}"] if dtype else []
            chosen[f"{Path(known).stem} {dtype}".strip()] = override_all(config, rest + own)
    return chosen


def main(argv: list[str] | None = None) -> int:
    return command.run(lambda arguments: _main(arguments, argv), argv)


def _main(arguments: list[str], argv: list[str] | None) -> int:
    args, rest = _parser().parse_known_args(arguments)
    if args.against and (problem := against_torch.missing()):
        raise ConfigError(problem)
    if args.at_once < 1:
        raise ConfigError(f"--at_once is {args.at_once}; expected 1 or more")
    record = benchmark(_configs(args, rest), args, lambda line: print(line, flush=True), argv)
    if args.json:
        print(f"\nwritten: {args.json}")
    return int(any("error" in found for found in record["configs"].values()))


def _parser():
    result = parser(
        "Measure training, input, evaluation and map drawing on this machine, without data.\n"
        "Without --config: one of each network, in batches for a small CPU. Any config field\n"
        "can be changed with --config.FIELD=VALUE.",
        "python -m gaitjax.benchmark --config gaitgraph2_grew --what step \\\n"
        "           --config.train.batch_size=128 --json benchmark.json",
        config_required=False,
    )
    add = result.add_argument
    add(
        "--own_size",
        action="store_true",
        help="without --config: each network in its config's own batches, for a GPU or TPU",
    )
    add("--what", choices=(*PARTS, "all"), default="all", help="default: all")
    add("--repeats", type=int, default=5, help="timed runs of each (default: 5)")
    add(
        "--against",
        choices=("torch",),
        help="time training and evaluation in turns with the same network in PyTorch instead",
    )
    add(
        "--layouts",
        nargs="+",
        metavar="LAYOUT",
        choices=against_torch.LAYOUTS,
        default=against_torch.LAYOUTS,
        help=f"of PyTorch: {', '.join(against_torch.LAYOUTS)} (default: all)",
    )
    add(
        "--dtype",
        nargs="+",
        metavar="TYPE",
        choices=DTYPES,
        help="each config in each (default: the config's)",
    )
    add(
        "--at_once",
        type=int,
        default=1,
        metavar="N",
        help="with --against: configs made ready at the same time (default: 1)",
    )
    add(
        "--limit",
        type=float,
        default=LIMIT,
        help=f"seconds for each config, then it is killed (default: {LIMIT})",
    )
    add("--json", type=Path, help="file for the numbers")
    return result


if __name__ == "__main__":
    sys.exit(main())
