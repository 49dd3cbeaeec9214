"""Statistics and drawings of a prepared data set."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from gaitjax.errors import DataError
from gaitjax.prepare import drawing
from gaitjax.prepare.__main__ import main
from gaitjax.skeleton import COCO
from tests.helpers import tiny_sets

T = 6


def write(root, name: str, array: np.ndarray) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.pkl").write_bytes(pickle.dumps(array))


def near(image: Image.Image, colour: str) -> int:
    """Pixels of about this colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(np.asarray(image.convert("RGB"), int) - wanted).max(axis=-1) < 12).sum())


def test_command(tmp_path, capsys):
    root = tmp_path / "set"
    walk = tiny_sets.poses(3, 17)
    lost = walk[:T].copy()
    lost[:3, 9] = 0.0
    write(root, "001/nm-01/000", lost)
    write(root, "001/nm-02/090", walk[:T])
    write(root, "002/nm-01/000", walk[:12])
    (root / "002" / "nm-02" / "000").mkdir(parents=True)
    (root / "002" / "nm-02" / "000" / "000.pkl").write_bytes(b"x")
    arguments = ["inspect", "--config.data.root", str(root), "--output", str(tmp_path / "look")]
    assert main([*arguments, "--sequence", "001/nm-02/090"]) == 0
    out = capsys.readouterr().out
    assert "2 types: nm-01 (2), nm-02 (2)\n2 views: 000 (3), 090 (1)\n" in out
    assert "2 identities, 3 sequences, 24 frames; 1 sequences that cannot be read" in out
    assert "left_wrist        12.50" in out
    assert "002/nm-02/000: " in out and "not a pickle" in out
    seen = np.concatenate([walk[:T], walk[:12]])
    seen = seen[seen[..., 2] > 0]
    assert f"x {seen[:, 0].min():.1f} to {seen[:, 0].max():.1f}, y " in out

    with Image.open(tmp_path / "look" / "001-nm-02-090.gif") as gif:
        assert gif.n_frames == T and gif.info["duration"] == 40
        for colour in (drawing.BLUE, drawing.ORANGE):
            assert near(gif, colour) > 100
    with Image.open(tmp_path / "look" / "001-nm-02-090.png") as png:
        assert png.width > 900 and near(png, drawing.BLUE) > 300


def test_command_refuses(tmp_path, capsys):
    arguments = ["inspect", "--config.data.root", str(tmp_path / "set"), "--output", str(tmp_path)]
    assert main(arguments) == 1
    assert "is not a folder" in capsys.readouterr().err
    (tmp_path / "set").mkdir()
    assert main(arguments) == 1
    assert "no folder <id>/<type>/<view>" in capsys.readouterr().err
    (tmp_path / "set/001/nm-01/000").mkdir(parents=True)
    assert main([*arguments, "--sequence", "2/2/2"]) == 1
    assert "no sequence 2/2/2; there are such as 001/nm-01/000" in capsys.readouterr().err
    assert main(arguments) == 1
    assert "no .pkl file" in capsys.readouterr().err


def test_left_is_blue_and_y_points_down():
    """A body whose left side is at the right edge of the image, its head above its feet."""
    pose = np.zeros((1, 17, 3), np.float32)
    pose[..., 2] = 1.0
    for j, name in enumerate(COCO.joints):
        pose[0, j, 0] = {"left": 150.0, "right": 50.0}.get(name.split("_")[0], 100.0)
        pose[0, j, 1] = 10.0 * j
    image = Image.open(io.BytesIO(drawing.animation(np.repeat(pose, 2, axis=0), "x")))
    pixels = np.asarray(image.convert("RGB"), int)[:, : image.width // 2]
    pixels = pixels[60:]  # below the legend

    def middle(colour):
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return np.argwhere(np.abs(pixels - wanted).max(axis=-1) < 12).mean(axis=0)

    assert middle(drawing.BLUE)[1] > middle(drawing.ORANGE)[1] + 20
    grey = middle(drawing.GREY)  # shoulders and hips, in the upper half
    assert grey[0] < pixels.shape[0] * 0.75


@pytest.mark.parametrize("shape", [(T, 2, 64, 64), (T, 64, 44)])
def test_images_are_drawn(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with Image.open(io.BytesIO(drawing.animation(images, "images"))) as gif:
        assert gif.n_frames == T
    assert Image.open(io.BytesIO(drawing.sheet(images, "images"))).format == "PNG"


def test_frames_without_anybody_are_drawn():
    poses = tiny_sets.poses(1, 18)[:3].copy()
    poses[1] = 0.0
    assert drawing.animation(poses, "18 joints") and drawing.sheet(poses, "18 joints")
    assert drawing.sheet(np.zeros((1, 17, 3), np.float32), "nobody")


def test_other_arrays_are_refused():
    with pytest.raises(DataError, match="cannot be drawn"):
        drawing.sheet(np.zeros((3, 19, 3), np.float32), "x")
