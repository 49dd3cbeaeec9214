"""Our walkers as painted people, whom BlazePose takes for people."""

import numpy as np

from gaitjax.skeleton import COCO

_SKIN, _SHIRT, _TROUSERS, _DARK = (140, 170, 220), (60, 60, 170), (90, 60, 40), (20, 30, 50)


def paint(image: np.ndarray, joints: np.ndarray) -> None:
    """Paints somebody with these joints (17, 2) into an image (H, W, 3) uint8, blue first."""
    import cv2

    at = {name: np.rint(xy).astype(int) for name, xy in zip(COCO.joints, joints, strict=True)}
    unit = float(np.ptp(joints[:, 1])) / 260

    def limb(a, b, colour, width):
        ends = [at[end].tolist() if isinstance(end, str) else end.tolist() for end in (a, b)]
        cv2.line(image, *ends, colour, max(1, round(width * unit)), cv2.LINE_AA)

    for side in ("right", "left"):
        limb(f"{side}_hip", f"{side}_knee", _TROUSERS, 26)
        limb(f"{side}_knee", f"{side}_ankle", _TROUSERS, 18)
        shoe = at[f"{side}_ankle"] + np.rint([8 * unit, 6 * unit]).astype(int)
        axes = (round(16 * unit), round(7 * unit))
        cv2.ellipse(image, shoe.tolist(), axes, 0, 0, 360, _DARK, -1)
    trunk = [f"{side}_{end}" for side in ("left", "right") for end in ("shoulder", "hip")]
    cv2.fillConvexPoly(image, cv2.convexHull(np.array([at[name] for name in trunk])), _SHIRT)
    for side in ("right", "left"):
        limb(f"{side}_shoulder", f"{side}_hip", _SHIRT, 34)
        limb(f"{side}_shoulder", f"{side}_elbow", _SHIRT, 16)
        limb(f"{side}_elbow", f"{side}_wrist", _SKIN, 12)
    head = (at["left_ear"] + at["right_ear"]) // 2
    limb(head, (at["left_shoulder"] + at["right_shoulder"]) // 2, _SKIN, 14)
    cv2.circle(image, head.tolist(), round(22 * unit), _SKIN, -1)
    hair = (head - [0, round(8 * unit)]).tolist()
    cv2.ellipse(image, hair, (round(23 * unit), round(16 * unit)), 0, 180, 360, _DARK, -1)
    cv2.circle(image, at["nose"].tolist(), max(1, round(4 * unit)), (110, 140, 200), -1)


def write(path, people, size=(640, 480), fps=25.0):
    """A video (.avi) of painted people before a wall.

    Args:
      people: for each frame a list of joints (17, 2).
    """
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, size)
    assert writer.isOpened()
    for frame in people:
        image = np.full((size[1], size[0], 3), (200, 190, 180), np.uint8)
        image[size[1] * 2 // 3 :] = 110, 130, 120
        for joints in frame:
            paint(image, joints)
        writer.write(image)
    writer.release()
