"""How well the default network tells real pedestrians apart: one camera, one walk cut in two.

    python -m tests.programs.strangers_in_a_street vtest.avi          # Debian's opencv-doc has it

Of everybody who is followed for long enough, the stretch before the middle frame is enrolled and
the one after it looked for. Prints how many are nearest to themselves, and how many come below
thresholds, of the same people and of others.
"""

import argparse

import numpy as np

from gaitjax import video
from gaitjax.evaluation.distances import distance_matrix
from gaitjax.identify.networks import DEFAULT, load

SECONDS = 2.5  # of each stretch
FRAMES = 48  # of 25 a second, from its middle: one program is compiled for all
SMALLEST = 40  # pixels: a jacket on the lawn is smaller


def stretch(track: video.Track, first: int, last: int) -> np.ndarray:
    part = video.Track(track.name, track.poses[first:last], track.frames[first:last], track.fps)
    poses = part.sequence(resample=25.0).poses
    begin = max(0, (len(poses) - FRAMES) // 2)
    return poses[begin : begin + FRAMES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    tracks = video.read(parser.parse_args().video)
    pairs = []
    for track in tracks:
        middle, count = len(track.frames) // 2, round(SECONDS * track.fps)
        if middle >= count and track.height > SMALLEST:
            both = stretch(track, middle - count, middle), stretch(track, middle, middle + count)
            if min(map(len, both)) == FRAMES:
                pairs.append(both)
    model = load(DEFAULT)
    before, after = (model.embed([pair[i] for pair in pairs]) for i in (0, 1))
    found = distance_matrix(after, before, "cos")
    own = np.diag(found)
    others = (found + np.diag(np.full(len(found), np.inf))).min(axis=1)
    print(f"{len(tracks)} tracks, {len(pairs)} people with {SECONDS} s before and after the middle")
    print(f"nearest to themselves: {(own < others).sum()} of {len(own)}")
    for threshold in (0.005, 0.01, 0.015, 0.02):
        print(
            f"below {threshold}: {(own < threshold).sum()} themselves, {(others < threshold).sum()}"
            " have somebody else there"
        )


if __name__ == "__main__":
    main()
