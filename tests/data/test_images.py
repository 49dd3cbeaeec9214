"""Images from disk: the cache, what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from gaitjax.data import images
from gaitjax.data.listing import Listing
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_pickle

LENGTHS = np.array([5, 9, 6], np.int32)


def write(path, array, protocol=4):
    with open(path, "wb") as file:
        pickle.dump(array, file, protocol=protocol)
    return path


@pytest.fixture
def files(tmp_path):
    """Maps and narrow silhouettes of three sequences, as {part: paths}."""
    rng = np.random.default_rng(0)
    result = {"maps": [], "silhouettes": []}
    for i, length in enumerate(LENGTHS):
        for part, size in (("maps", (2, 64, 64)), ("silhouettes", (64, 44))):
            array = rng.integers(0, 256, (length, *size)).astype(np.uint8)
            result[part].append(write(tmp_path / f"{i}_{part}.pkl", array))
    return result


ROWS = np.array([2, 0, 2, 1])
FRAMES = np.array([[0, 5, 3], [4, 4, 0], [1, 2, 3], [8, 0, 7]])


def test_clips_hold_the_frames_asked_for(files):
    batch = images.ImageClips(files, LENGTHS)(ROWS, FRAMES)
    assert batch["maps"].shape == (4, 3, 64, 64, 2)
    assert batch["silhouettes"].shape == (4, 3, 64, 44)
    for n, (row, frames) in enumerate(zip(ROWS, FRAMES, strict=True)):
        sequence = safe_pickle.load(files["maps"][row])
        assert np.array_equal(batch["maps"][n], np.moveaxis(sequence[frames], 1, -1))
        sequence = safe_pickle.load(files["silhouettes"][row])
        assert np.array_equal(batch["silhouettes"][n], sequence[frames])


def test_the_cache_saves_reading_changes_nothing_and_keeps_its_bound(files, monkeypatch):
    loads, load = [], safe_pickle.load
    monkeypatch.setattr(safe_pickle, "load", lambda p: loads.append(p) or load(p))
    without = images.ImageClips(files, LENGTHS, cache_gb=0)
    cached = images.ImageClips(files, LENGTHS)
    first = without(ROWS, FRAMES)
    assert len(loads) == 6 and without._cache._bytes == 0
    for _ in range(2):
        again = cached(ROWS, FRAMES)
        assert all(np.array_equal(again[part], first[part]) for part in first)
    assert len(loads) == 12

    size = 9 * 2 * 64 * 64
    small = images.ImageClips({"maps": files["maps"]}, LENGTHS, cache_gb=size / 2**30)
    for row in (0, 1, 0, 2, 0):
        small(np.array([row]), np.array([[0]]))
        assert small._cache._bytes <= size
    # 0; 1 drops 0; 0 drops 1; 2 drops 0, too long together; 0 drops 2
    assert [p.name[0] for p in loads[12:]] == list("01020")


def test_the_least_recently_used_sequence_goes_first():
    cache = images._Cache(limit=20)
    loads = []
    for key in "abacab":
        cache.get(key, lambda key=key: loads.append(key) or np.zeros(10, np.uint8))
    assert "".join(loads) == "abcb"


def test_frames_that_do_not_agree_are_refused(files):
    write(files["silhouettes"][2], np.zeros((7, 64, 44), np.uint8))
    read = images.ImageClips(files, LENGTHS)
    with pytest.raises(DataError, match="2_silhouettes.pkl: 7 frames, expected 6.*2_maps.pkl"):
        read(ROWS, FRAMES)


@pytest.mark.parametrize(
    "array, found",
    [
        (np.zeros((6, 64, 44), np.uint8), r"uint8 \(6, 64, 44\)"),
        (np.zeros((6, 2, 64, 64)), r"float64 \(6, 2, 64, 64\)"),
        (np.zeros((6, 64, 64, 2), np.uint8), r"uint8 \(6, 64, 64, 2\)"),
    ],
)
def test_what_is_no_map_is_refused(files, array, found):
    write(files["maps"][2], array)
    with pytest.raises(DataError, match=f"2_maps.pkl: {found}; expected maps.*sorted order"):
        images.ImageClips(files, LENGTHS)(ROWS, FRAMES)


def test_silhouettes_of_two_sizes_are_refused(files):
    write(files["silhouettes"][2], np.zeros((6, 64, 64), np.uint8))
    with pytest.raises(DataError, match="2_silhouettes.pkl: 64 x 64 .*0_silhouettes.pkl has 64 x"):
        images.ImageClips(files, LENGTHS)(ROWS, FRAMES)


def test_frames_are_counted_from_sizes_or_by_reading(files, tmp_path, monkeypatch):
    paths = list(files["maps"])
    array = np.random.default_rng(0).integers(0, 200, (4, 2, 64, 64)).astype(np.uint8)
    old = write(tmp_path / "old.pkl", array, protocol=2)
    loads, load = [], safe_pickle.load
    monkeypatch.setattr(safe_pickle, "load", lambda p: loads.append(p) or load(p))
    counts = images.frame_counts(paths + [old])
    assert counts.dtype == np.int32 and counts.tolist() == [5, 9, 6, 4]
    assert loads == [paths[0], old]  # protocol 2 takes more bytes than the array has
    assert images.frame_counts([old, *paths]).tolist() == [4, 5, 9, 6]


def listed(*folders):
    names = np.array([str(i) for i in range(len(folders))])
    return Listing(Path("/data"), names, names, names, folders, {})


def test_files_are_told_apart_by_their_order():
    found = images.image_files(
        listed(("a/0_heatmap.pkl", "a/1_sil.pkl"), ("b/0_heatmap.pkl", "b/1_sil.pkl", "b/2.pkl")),
        "map+silhouette",
    )
    assert found["maps"] == [Path("/data/a/0_heatmap.pkl"), Path("/data/b/0_heatmap.pkl")]
    assert found["silhouettes"] == [Path("/data/a/1_sil.pkl"), Path("/data/b/1_sil.pkl")]
    assert list(images.image_files(listed(("a/x.pkl",)), "map")) == ["maps"]
    with pytest.raises(DataError, match="/data/b: found 1 .pkl file.*map and silhouette"):
        images.image_files(listed(("a/0.pkl", "a/1.pkl"), ("b/0.pkl",)), "map+silhouette")
