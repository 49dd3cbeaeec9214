"""Images from disk: prefetching, the cache, what is refused."""

import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gaitjax.data import streaming
from gaitjax.data.packing import Index
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


def workers():
    return [t for t in threading.enumerate() if t.name.startswith(("prefetch", "images"))]


def test_batches_come_in_order_and_not_too_far_ahead():
    made = []

    def make(t):
        made.append(t)
        return {"t": np.array(t)}

    for t, batch in enumerate(streaming.prefetch(make, 3, 10, depth=2), start=3):
        assert batch["t"] == t
        time.sleep(0.01)
        assert max(made) <= t + 2
    assert made == list(range(3, 10))
    assert not workers()


def test_making_a_batch_overlaps_with_using_the_one_before():
    started = threading.Event()

    def make(t):
        if t == 1:
            started.set()
        return t

    batches = streaming.prefetch(make, 0, 3)
    assert next(batches) == 0
    assert started.wait(5)  # without asking for it
    batches.close()


def test_an_error_comes_out_in_the_place_of_its_batch(files):
    read = streaming.ImageClips(files, LENGTHS)
    files["maps"][1].write_bytes(b"")

    def make(t):
        return read(np.array([t]), np.zeros((1, 2), int))

    batches = streaming.prefetch(make, 0, 3)
    assert next(batches)["maps"].shape == (1, 2, 64, 64, 2)
    with pytest.raises(DataError, match="1_maps.pkl.*empty"):
        next(batches)
    assert not workers()


def test_closing_early_drops_what_is_not_begun():
    made = []
    batches = streaming.prefetch(lambda t: made.append(t) or time.sleep(0.02), 0, 1000, depth=3)
    next(batches)
    batches.close()
    assert not workers()
    assert len(made) <= 5


def test_nothing_is_made_where_nothing_is_left():
    assert list(streaming.prefetch(lambda t: t, 5, 5)) == []


def test_clips_hold_the_frames_asked_for(files):
    batch = streaming.ImageClips(files, LENGTHS)(ROWS, FRAMES)
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
    without = streaming.ImageClips(files, LENGTHS, cache_gb=0)
    cached = streaming.ImageClips(files, LENGTHS)
    first = without(ROWS, FRAMES)
    assert len(loads) == 6 and without._cache._bytes == 0
    for _ in range(2):
        again = cached(ROWS, FRAMES)
        assert all(np.array_equal(again[part], first[part]) for part in first)
    assert len(loads) == 12

    size = 9 * 2 * 64 * 64
    small = streaming.ImageClips({"maps": files["maps"]}, LENGTHS, cache_gb=size / 2**30)
    for row in (0, 1, 0, 2, 0):
        small(np.array([row]), np.array([[0]]))
        assert small._cache._bytes <= size
    # 0; 1 drops 0; 0 drops 1; 2 drops 0, too long together; 0 drops 2
    assert [p.name[0] for p in loads[12:]] == list("01020")


def test_the_least_recently_used_sequence_goes_first():
    cache = streaming._Cache(limit=20)
    loads = []
    for key in "abacab":
        cache.get(key, lambda key=key: loads.append(key) or np.zeros(10, np.uint8))
    assert "".join(loads) == "abcb"


def test_frames_that_do_not_agree_are_refused(files):
    write(files["silhouettes"][2], np.zeros((7, 64, 44), np.uint8))
    read = streaming.ImageClips(files, LENGTHS)
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
        streaming.ImageClips(files, LENGTHS)(ROWS, FRAMES)


def test_silhouettes_of_two_sizes_are_refused(files):
    write(files["silhouettes"][2], np.zeros((6, 64, 64), np.uint8))
    with pytest.raises(DataError, match="2_silhouettes.pkl: 64 x 64 .*0_silhouettes.pkl has 64 x"):
        streaming.ImageClips(files, LENGTHS)(ROWS, FRAMES)


def test_frames_are_counted_from_sizes_or_by_reading(files, tmp_path, monkeypatch):
    paths = list(files["maps"])
    array = np.random.default_rng(0).integers(0, 200, (4, 2, 64, 64)).astype(np.uint8)
    old = write(tmp_path / "old.pkl", array, protocol=2)
    loads, load = [], safe_pickle.load
    monkeypatch.setattr(safe_pickle, "load", lambda p: loads.append(p) or load(p))
    counts = streaming.frame_counts(paths + [old])
    assert counts.dtype == np.int32 and counts.tolist() == [5, 9, 6, 4]
    assert loads == [paths[0], old]  # protocol 2 takes more bytes than the array has
    assert streaming.frame_counts([old, *paths]).tolist() == [4, 5, 9, 6]


def index(*folders):
    names = np.array([str(i) for i in range(len(folders))])
    return Index(Path("/data"), names, names, names, folders, {})


def test_files_are_told_apart_by_their_order():
    found = streaming.image_files(
        index(("a/0_heatmap.pkl", "a/1_sil.pkl"), ("b/0_heatmap.pkl", "b/1_sil.pkl", "b/2.pkl")),
        "map+silhouette",
    )
    assert found["maps"] == [Path("/data/a/0_heatmap.pkl"), Path("/data/b/0_heatmap.pkl")]
    assert found["silhouettes"] == [Path("/data/a/1_sil.pkl"), Path("/data/b/1_sil.pkl")]
    assert list(streaming.image_files(index(("a/x.pkl",)), "map")) == ["maps"]
    with pytest.raises(DataError, match="/data/b: found 1 .pkl file.*map and silhouette"):
        streaming.image_files(index(("a/0.pkl", "a/1.pkl"), ("b/0.pkl",)), "map+silhouette")
