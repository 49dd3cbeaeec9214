"""Files that are no results of one person: one error says what each is instead."""

import json

import numpy as np
import pytest

from gaitjax.data import readers
from gaitjax.errors import DataError
from tests.helpers.results import flat
from tests.helpers.walk import WALK

KNOWN = flat(WALK[0])
REFUSED = {
    "two videos": ([{"image_id": f"{v}_1.jpg", "keypoints": KNOWN} for v in "ab"], "two videos"),
    "no number": ([{"image_id": f"{v}.jpg", "keypoints": KNOWN} for v in "a1"], "no frame number"),
    "19 joints": ([{"image_id": 1, "keypoints": [0.5] * 57}], "57 numbers.*17 x 3"),
    "21 and 17": (
        [{"image_id": i, "keypoints": [9.0] * n} for i, n in enumerate((51, 54))],
        "people of 17 and 18 joints",
    ),
    "no body": (
        [{"image_id": 1, "keypoints": (np.arange(51.0) * 37 % 101 + 1).tolist()}],
        "17 joints that lie as no person's in joint format coco or h36m.*--source_joints",
    ),
    "shares": (
        [{"image_id": 1, "keypoints": [0.5] * 51}],
        "shares of the image, not pixels; say its size with --image_size",
    ),
    "ap10k": (
        {"meta_info": {"dataset_name": "ap10k"}, "instance_info": []},
        "meta_info says that the joints are those of 'ap10k'",
    ),
    "horses": (
        {
            "images": [{"id": 1}],
            "annotations": [{"image_id": 1, "keypoints": KNOWN}],
            "categories": [{"name": "horse", "keypoints": ["nose"]}],
        },
        "keypoints of 'horse'; expected those of people",
    ),
    "one frame": ({"people": []}, "describes one frame; give the folder"),
    "one frame of YOLO": ([{"name": "person", "keypoints": {"x": [], "y": []}}], "one frame"),
    "text": ([{"image_id": 1, "keypoints": ["0.5"] * 51}], "list of numbers"),
    "bool": ([{"image_id": 1, "keypoints": [True] * 51}], "list of numbers"),
    "annotations": ({"images": [], "annotations": []}, "an object with the keys"),
    "nobody": ([{"frame_id": 1, "instances": []}], "no person"),
    "empty list": ([], "a list of 0"),
    "null": (None, "null"),
    "scores": (
        [{"frame_id": 1, "instances": [{"keypoints": [[1, 2]], "keypoint_scores": [1, 1]}]}],
        "one for each score",
    ),
    "huge frame": ([{"image_id": 10**30, "keypoints": [0.5] * 51}], "out of range"),
    "huge integer": ([{"image_id": 1, "keypoints": [10**350] * 51}], "too large"),
    "crowd": ([{"image_id": 1, "keypoints": KNOWN}] * 300, "more than 200 people"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    content, message = REFUSED[name]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message) as error:
        readers.read(path)
    assert str(path) in str(error.value)


def test_refused_folders(tmp_path):
    with pytest.raises(DataError, match="no .json file"):
        readers.read(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        readers.read(tmp_path / "missing.json")
    (tmp_path / "0.json").write_text('{"people": [], "bodies": []}')
    with pytest.raises(DataError, match=r"0.json: found .*expected \{"):
        readers.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.mp4", "x.mp4: a video, no results.*prepare video.*or run a pose estimator on it"),
        ("x.npy", "x.npy: a NumPy array.*pickle it"),
        ("x.csv", "x.csv: a table.*gaitjax.prepare casiab"),
        ("x.png", "x.png: a picture.*run a pose estimator"),
        ("x.txt", "x.txt: one frame of YOLO-pose; give the folder"),
    ],
)
def test_other_files_are_called_by_their_names(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"\0")
    with pytest.raises(DataError, match=message):
        readers.read(tmp_path / name)
