"""From a prepared folder to tensorflow-datasets: python -m gaitjax.data.builders <dataset> ..."""

import argparse
import sys

from configs.common import DATASETS, base
from gaitjax.data import builders
from gaitjax.errors import DataError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m gaitjax.data.builders",
        description="Write a prepared data set as array_record files of tensorflow-datasets.",
        epilog="example: python -m gaitjax.data.builders walkers --data.root walkers "
        "--data_dir tfds; then train with --config.data.name=tfds:walkers "
        "--config.data.root=tfds",
    )
    add = parser.add_argument
    add("name", choices=builders.NAMES, metavar="dataset", help=", ".join(builders.NAMES))
    add("--data.root", dest="root", required=True, help="folder <id>/<type>/<view>/*.pkl")
    add("--data_dir", required=True, help="folder of tensorflow-datasets to write below")
    add("--data.partition", dest="partition", default="", help="OpenGait's JSON, if not the root's")
    add("--data.joints", dest="joints", help="joint format of the files, if not the usual one")
    args = parser.parse_args(argv)
    data = base().data
    data.update(name=args.name, root=args.root, partition=args.partition)
    data.joints = args.joints or DATASETS[args.name][0]
    try:
        from gaitjax.data.builders import common

        print(f"built {common.build(data, args.data_dir)}")
    except (DataError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
