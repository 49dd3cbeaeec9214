"""How a training step scales over devices, from the compiler alone: nothing is run.

python -m gaitjax.scaling --config NAME compiles the step for 1 to 64 simulated devices, at a
fixed batch in all and at a fixed batch for each device, and tells what each device then
computes, sends and holds. The program is the CPU's: accelerators fuse differently, but
split the work and exchange the same arrays.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import jax
from jax.sharding import AxisType
from ml_collections import ConfigDict

from gaitjax import command
from gaitjax.command import tables
from gaitjax.config import ConfigError, from_arguments, parser
from gaitjax.performance import cost
from gaitjax.performance import record as records
from gaitjax.training import setup

DEVICES = (1, 2, 4, 8, 16, 32, 64)
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
# The result of a collective (one array, or a tuple of them) and its kind.
_COLLECTIVE = re.compile(rf"^\s*\S.*? = (.*?) ({'|'.join(COLLECTIVES)})(?:-start)?\(", re.MULTILINE)
_ARRAY = re.compile(r"\b[a-z]+(\d+)(?:e\d+m\d+\w*)?\[([\d,]*)\]|\b(pred)\[([\d,]*)\]")

HEADINGS = {
    "devices": "{:d}",
    "batch": "{:d}",
    "batch_per_device": "{:d}",
    "gflop": "{:,.1f}",
    "traffic_mib": "{:,.0f}",
    "memory_mib": "{:,.0f}",
    "reduced_mib": "{:,.2f}",
    "gathered_mib": "{:,.2f}",
    "collectives": "{:d}",
}


class Communication(NamedTuple):
    """What each device exchanges with the others in one run of a program.

    Attributes:
      operations: collective operations.
      reduced: bytes of arrays that are summed over the devices.
      gathered: bytes of arrays, whole, that are put together from all devices' parts.
    """

    operations: int
    reduced: int
    gathered: int


def communication(program: jax.stages.Compiled) -> Communication:
    """The collectives in a compiled program; those in a loop count once."""
    count = reduced = gathered = 0
    for result, kind in _COLLECTIVE.findall(program.as_text() or ""):
        size = sum(_bytes(*groups) for groups in _ARRAY.findall(result))
        count += 1
        if kind in ("all-reduce", "reduce-scatter"):
            reduced += size
        else:
            gathered += size
    return Communication(count, reduced, gathered)


def _bytes(bits: str, shape: str, pred: str, pred_shape: str) -> int:
    number = 1
    for length in filter(None, (pred_shape if pred else shape).split(",")):
        number *= int(length)
    return number * (1 if pred else int(bits) // 8)


def row(config: ConfigDict, count: int, batch: int) -> dict[str, float]:
    """One device's share of a step over `count` of this process's devices."""
    config = config.copy_and_resolve_references()
    config.train.batch_size = batch
    auto = (AxisType.Auto,)
    mesh = jax.make_mesh((count,), ("data",), auto, devices=jax.devices()[:count])
    made = setup.make(config, mesh)
    state, frames, shape = setup.shapes(made)
    program = setup.update(made).lower(state, frames, (shape,)).compile()
    estimate, sent = cost.of(program), communication(program)
    return {
        "devices": count,
        "batch": batch,
        "batch_per_device": batch // count,
        "gflop": estimate.flops / 1e9,
        "traffic_mib": estimate.traffic / 2**20,
        "memory_mib": (estimate.arguments + estimate.scratch) / 2**20,
        "reduced_mib": sent.reduced / 2**20,
        "gathered_mib": sent.gathered / 2**20,
        "collectives": sent.operations,
    }


def table(rows: list[dict[str, float]]) -> str:
    """The rows in Markdown."""
    lines = [[name.replace("_", " ") for name in HEADINGS]]
    lines += [[form.format(r[name]) for name, form in HEADINGS.items()] for r in rows]
    return "\n".join(tables.markdown(lines, left=()))


def main(argv: list[str] | None = None) -> int:
    return command.run(lambda arguments: _main(arguments, argv), argv)


def _main(arguments: list[str], argv: list[str] | None) -> None:
    args, rest = _parser().parse_known_args(arguments)
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", max(args.devices))
    # Compiled programs are only looked at: skip what makes machine code fast, not XLA's passes.
    jax.config.update("jax_disable_most_optimizations", True)
    record: dict = {"config": args.config}
    config = from_arguments(args.config, rest)
    whole = config.train.batch_size
    each = args.per_device or whole // max(args.devices)
    if each < 1 or any(whole % count for count in args.devices):
        raise ConfigError(
            f"train.batch_size={whole} does not split over {max(args.devices)} devices"
        )
    for name, batch_of in (
        (f"{whole} sequences in all", lambda count: whole),
        (f"{each} sequences for each device", lambda count: each * count),
    ):
        rows = []
        for count in args.devices:
            rows.append(row(config, count, batch_of(count)))
            print(f"{name}: {count} devices compiled", file=sys.stderr, flush=True)
        print(f"\n{args.config}, {name}; one device's share of a step:\n\n{table(rows)}")
        record[name] = rows
    if args.json:
        records.write(args.json, record, "gaitjax.scaling", argv)


def _parser():
    result = parser(
        "Work, communication and memory of each device in a training step, compiled for 1 to 64\n"
        "simulated devices and not run. Any config field can be changed with\n"
        "--config.FIELD=VALUE.",
        "python -m gaitjax.scaling --config gaitgraph2_grew --json scaling.json",
    )
    result.add_argument(
        "--devices", type=int, nargs="+", default=DEVICES, help="how many (default: 1 2 4 ... 64)"
    )
    result.add_argument(
        "--per_device",
        type=int,
        help="sequences for each device in the second table (default: the batch over the most)",
    )
    result.add_argument("--json", type=Path, help="file for the numbers")
    return result


if __name__ == "__main__":
    sys.exit(main())
