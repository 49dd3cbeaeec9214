"""Makes the network that gaitjax.identify brings along: python docs/make_network.py --output DIR

Data, training and export: four minutes of one CPU core; run it again to go on. Synthetic walkers
and the walks of the CMU database are prepared into one folder: identities of four digits are
walkers, of three digits CMU's subjects. Everything follows from configs/gaittr_identify.py and the
seeds here.
"""

import json
import shutil
import sys
from pathlib import Path

import jax
import numpy as np

ROOT = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from gaitjax import api, command, sharding, weights  # noqa: E402
from gaitjax import config as configs  # noqa: E402
from gaitjax.data import walkers  # noqa: E402
from gaitjax.identify.networks import SHIPPED, fingerprint  # noqa: E402
from gaitjax.prepare.__main__ import main as prepare  # noqa: E402
from gaitjax.train import train  # noqa: E402
from gaitjax.training import checkpoint  # noqa: E402

CONFIG = "gaittr_identify"
VIEWS = ("000", "030", "060", "090", "135", "180", "225", "270")
SEED = 17  # of the walkers
WALKERS, TRAIN, HELD_OUT = 1000, 300, 40  # those after TRAIN are never trained on
STRANGERS = range(601, 1001)  # whose embeddings are shipped, one walk each


def data(root: Path, cmu: str) -> Path:
    """Both sets in one folder, with training.json; returns it. Does nothing if it is there."""
    partition = root / "mixed" / "training.json"
    if partition.exists():
        return partition
    mixed = walkers.generate(
        root / "mixed", SEED, identities=WALKERS, test_identities=WALKERS - TRAIN, views=VIEWS
    )
    words = ["cmu_walks", "--output", str(root / "cmu"), "--cameras", ",".join(VIEWS), "--resume"]
    if prepare(words + (["--source", cmu] if cmu else [])):
        raise SystemExit("the CMU walks were not prepared")
    split = json.loads((mixed / "partition.json").read_text())
    subjects = json.loads((root / "cmu" / "partition.json").read_text())
    for subject in subjects["TRAIN_SET"] + subjects["TEST_SET"]:
        shutil.copytree(root / "cmu" / subject, mixed / subject, dirs_exist_ok=True)
    chosen = {
        "TRAIN_SET": split["TRAIN_SET"] + subjects["TRAIN_SET"],
        "TEST_SET": subjects["TEST_SET"] + split["TEST_SET"][:HELD_OUT],
    }
    partition.write_text(json.dumps(chosen))
    return partition


def export(workdir: Path) -> None:
    """Writes the weights, in half precision, and the strangers' embeddings."""
    variables, metadata = checkpoint.load_variables(workdir)
    stored = metadata["config"]
    stored["data"].update(root="", partition="", cache_dir="")
    kept = {
        "config": stored,
        "knows": metadata["knows"],
        "step": metadata["step"],
        "licence": "Apache-2.0; see README.md beside this file for the data and the limits",
    }
    half = jax.tree.map(lambda leaf: np.asarray(leaf, np.float16), variables)
    path = weights.save(SHIPPED / "weights.npz", half, kept)
    model = api.load(path)
    walks = [
        walkers.identity(SEED, number, views=VIEWS)[0][number % len(VIEWS)] for number in STRANGERS
    ]
    embeddings = model.embed(walks).astype(np.float16)
    np.savez(
        SHIPPED / "strangers.npz", embeddings=embeddings, fingerprint=np.array(fingerprint(model))
    )
    for file in sorted(SHIPPED.iterdir()):
        print(f"{file}: {file.stat().st_size / 1024:.0f} KiB")


def main(argv: list[str] | None = None) -> int:
    parser = command.parser(__doc__ or "", "python docs/make_network.py --output DIR --cmu CMU")
    parser.add_argument("--output", required=True, type=command.path, metavar="DIR")
    parser.add_argument("--cmu", default="", metavar="DIR", help="CMU's files; default: fetched")
    args = parser.parse_args(argv)
    sharding.start(multihost=False)
    config = configs.load(CONFIG)
    partition = data(args.output, args.cmu)
    config.data.update(root=str(partition.parent), partition=str(partition))
    config.data.cache_dir = str(args.output / "cache")
    train(config, args.output / "run")
    export(args.output / "run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
