"""Results of a walk as programs that estimate poses write them, and what a reader calls each."""

import json

import numpy as np

from tests.helpers.tiny_sets import TO_COCO
from tests.helpers.walk import OTHER, WALK, T

BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)  # of COCO joint i


def flat(joints) -> list[float]:
    return np.asarray(joints).ravel().tolist()


def openpose(joints: np.ndarray, layout: int) -> list[float]:
    """17 COCO joints as OpenPose writes them: 18 joints or BODY_25."""
    out = np.zeros((layout, 3))
    out[list(TO_COCO if layout == 18 else BODY_25)] = joints
    out[1] = (out[2] + out[5]) / 2  # neck
    return flat(out)


def results(ids, people, **more) -> list[dict]:
    """A list of results; people[p][t] is the skeleton of person p in frame t."""
    return [
        {"image_id": i, "category_id": 1, "keypoints": flat(p[t]), "score": 2.5}
        | {key: value(k) for key, value in more.items()}
        for t, i in enumerate(ids)
        for k, p in enumerate(people)
    ]


def write_alphapose(folder):
    path = folder / "alphapose-results.json"
    path.write_text(json.dumps(results([f"{t}.jpg" for t in range(T)], [OTHER, WALK])))
    return path


def write_tracked(folder):
    path = folder / "results.json"
    names = [f"frame_{t:04d}.png" for t in range(T)]
    path.write_text(json.dumps(results(names, [WALK], idx=lambda k: [[7.0], [7.0]])))
    return path


def write_halpe(folder):
    path = folder / "halpe.json"
    feet = WALK[:, [15, 16] * 3] + [4.0, 9.0, 0.0]
    middles = [WALK[:, pair].mean(axis=1, keepdims=True) for pair in ([0], [5, 6], [11, 12])]
    walk = np.concatenate([WALK, *middles, feet], axis=1)
    path.write_text(json.dumps(results([f"{t}.jpg" for t in range(T)], [walk])))
    return path


def write_coco(folder):
    path = folder / "coco.json"
    entries = results(range(100, 100 + T), [OTHER, WALK], track_id=lambda k: k)
    path.write_text("\ufeff" + json.dumps(entries), encoding="utf-8")
    return path


def write_openpose(folder, layout=25):
    for t in range(T):
        people = [{"person_id": [-1], "pose_keypoints_2d": openpose(WALK[t], layout)}]
        (folder / f"clip_{t:012d}_keypoints.json").write_text(
            json.dumps({"version": 1.3, "people": people})
        )
    return folder


def write_openpose18(folder):
    return write_openpose(folder, 18)


def write_alphapose_cmu(folder):
    path = folder / "alphapose-results.json"
    frames = {
        f"{t}.jpg": {"version": 0.1, "bodies": [{"joints": openpose(WALK[t], 18)}]}
        for t in range(T)
    }
    path.write_text(json.dumps(frames))
    return path


def instance(joints) -> dict:
    return {
        "keypoints": joints[:, :2].tolist(),
        "keypoint_scores": joints[:, 2].tolist(),
        "bbox": [[0.0, 0.0, 1.0, 1.0]],
        "bbox_score": 0.9,
    }


def write_mmpose(folder):
    path = folder / "video.json"
    frames = [{"frame_id": t + 1, "instances": [instance(WALK[t])]} for t in range(T)]
    path.write_text(json.dumps(frames))
    return path


def write_mmpose_demo(folder):
    path = folder / "results_video.json"
    frames = [{"frame_id": t + 1, "instances": [instance(WALK[t])]} for t in range(T)]
    path.write_text(json.dumps({"meta_info": {"num_keypoints": 17}, "instance_info": frames}))
    return path


def write_mmpose_images(folder):
    for t in range(T):
        (folder / f"{t}.json").write_text(json.dumps([instance(WALK[t])]))
    return folder


WRITERS = {
    "alphapose": (write_alphapose, "alphapose"),
    "alphapose_tracked": (write_tracked, "alphapose"),
    "alphapose_halpe": (write_halpe, "alphapose"),
    "alphapose_cmu": (write_alphapose_cmu, "alphapose"),
    "coco": (write_coco, "coco"),
    "openpose_body25": (write_openpose, "openpose"),
    "openpose_coco18": (write_openpose18, "openpose"),
    "mmpose": (write_mmpose, "mmpose"),
    "mmpose_demo": (write_mmpose_demo, "mmpose"),
    "mmpose_images": (write_mmpose_images, "mmpose"),
}
