"""Keep what this version writes: python -m tests.programs.keep_version FOLDER.

Run once a version, just before it is released, into tests/golden/version_X_Y_Z; the files
are never made again. tests/test_old_versions.py reads every such folder.

    poses.npz       the data set, one array of poses a folder <id>/<type>/<view>
    cache.poses     its training set as packed
    NETWORK.npz     weights after four steps (of large networks names and shapes: all zero)
    NETWORK.tar.xz  the work directory of that run after two of them
    expected.npz    NETWORK: what those weights embed the first sequences to
"""

import argparse
import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np

import gaitjax
from gaitjax.config import load, override_all
from gaitjax.data import walkers
from gaitjax.train import train

FRAMES, EMBEDDED = 12, 3
TRAIN, TEST = ("a", "b", "c"), ("d", "e")
SHARED = (
    "--config.data.name=own --config.data.partition= --config.eval.protocol=gallery_probe "
    "--config.eval.batch_size=4 --config.eval.frames=8 "
    "--config.train.steps=4 --config.train.batch_size=4 --config.train.frames=8 "
    "--config.train.per_identity=2 --config.train.save_every=2 --config.train.log_every=1 "
    "--config.train.save_minutes=0 --config.train.keep_best=eval/Rank-1"
)
NETWORKS = {
    "gaitgraph1_casiab": "--config.model.branch=3,4 --config.model.main=4,8 "
    "--config.model.reduction=2 --config.model.embedding_dim=4 --config.augment.select=6 "
    "--config.eval.select=6",
    "gaitgraph2_walkers": "--config.model.branch=5,4 --config.model.main=4,8 "
    "--config.model.reduction=2 --config.model.embedding_dim=4 --config.train.ema=0.5 "
    "--config.eval.window=center",
    "gaittr_grew": "--config.model.widths=10,32 --config.model.embedding_dim=4",
    "skeletongait_gait3d": "--config.model.layers=1,1,1,1 --config.model.channels=2,4,4,4 "
    "--config.model.classes=3 --config.eval.embedding=embed_1",
}
LARGE = ("skeletongait_gait3d",)
STATES = ("gaitgraph2_walkers", "gaittr_grew")  # whose work directories are kept


def poses() -> dict[str, np.ndarray]:
    """<id>/<type>/<view> -> (FRAMES, 17, 3) float32."""
    kept = {}
    for number, label in enumerate(TRAIN + TEST):
        walks = walkers.identity(0, number, FRAMES)[0]
        for i, kind in enumerate(("00", "01")):
            kept[f"{label}/{kind}/000"] = np.asarray(walks[i][:FRAMES], np.float32)
    return kept


def write(kept: dict[str, np.ndarray], root: Path) -> None:
    """The data set as pose files."""
    for name, sequence in kept.items():
        (root / name).mkdir(parents=True)
        (root / name / "0.pkl").write_bytes(pickle.dumps(sequence))
    ids = {"TRAIN_SET": list(TRAIN), "TEST_SET": list(TEST)}
    (root / "partition.json").write_text(repr(ids).replace("'", '"'))


def write_shapes(source: Path, target: Path) -> None:
    """The weights file with zeros for numbers, which compress to nothing."""
    with np.load(source) as file:
        arrays = {key: file[key] if key == "metadata" else 0 * file[key] for key in file.files}
    np.savez_compressed(target, **arrays)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    folder.mkdir(parents=True)
    kept, expected = poses(), {}
    np.savez_compressed(folder / "poses.npz", **kept)
    with tempfile.TemporaryDirectory() as scratch:
        root, cache = Path(scratch) / "data", Path(scratch) / "cache"
        write(kept, root)
        for name, small in NETWORKS.items():
            config = override_all(load(name), [*SHARED.split(), *small.split()])
            config.data.update(root=str(root), cache_dir=str(cache))
            config.eval.gallery_types = ("00",)
            workdir = Path(scratch) / name
            train(config, workdir)
            if name in LARGE:
                write_shapes(workdir / "best.npz", folder / f"{name}.npz")
                continue
            shutil.copyfile(workdir / "best.npz", folder / f"{name}.npz")
            some = list(kept.values())[:EMBEDDED]
            expected[name] = gaitjax.load(workdir / "best.npz").embed(some)
            if name in STATES:
                shutil.rmtree(workdir / "checkpoints" / "4")
                (workdir / "best.npz").unlink()
                shutil.make_archive(str(folder / name), "xztar", workdir)
        # Poses are packed with the imputation of a config: GaitGraph2's.
        (first, *_) = sorted(cache.glob("own-train-*.poses"))
        shutil.copyfile(first, folder / "cache.poses")
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
