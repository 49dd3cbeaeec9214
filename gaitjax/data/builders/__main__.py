"""From a prepared folder to tensorflow-datasets: python -m gaitjax.data.builders <dataset> ..."""

import sys

from gaitjax import command
from gaitjax.data import sets

_FIELDS = ("root", "partition", "joints")
NAMES = [name for name, record in sets.SETS.items() if record.stored]


_SPELLINGS = {f"--data.{field}": f"--config.data.{field}" for field in _FIELDS}


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    parser = command.parser(
        "Write a prepared data set as array_record files of tensorflow-datasets.",
        "python -m gaitjax.data.builders walkers --config.data.root=walkers \\\n"
        "           --data_dir tfds; then train with --config.data.name=tfds:walkers \\\n"
        "           --config.data.root=tfds",
        prog="python -m gaitjax.data.builders",
    )
    add = parser.add_argument
    add("name", choices=NAMES, metavar="dataset", help=", ".join(NAMES))
    add("--config.data.root", dest="root", required=True, help="folder <id>/<type>/<view>/*.pkl")
    add("--data_dir", required=True, help="folder of tensorflow-datasets to write below")
    add("--config.data.partition", dest="partition", default="", help="JSON, if not the root's")
    add("--config.data.joints", dest="joints", help="format of the files, if not the usual one")
    args = parser.parse_args(command.respelled(argv, _SPELLINGS))
    joints = args.joints or next(iter(sets.get(args.name).joints.values()))
    # Imported here: the other lines work without the package, whose absence is one clear error.
    from gaitjax.data.builders import pose_builder

    prepared = pose_builder.Prepared(args.name, args.root, args.partition, joints)
    print(f"built {pose_builder.build(prepared, args.data_dir)}")


if __name__ == "__main__":
    sys.exit(main())
