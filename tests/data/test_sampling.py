import numpy as np
import pytest

from gaitjax.data import sampling
from gaitjax.errors import DataError

SIZES = [3, 1, 12, 5, 4, 8, 2]  # sequences of each identity
CLASS_IDS = np.repeat([4, 2, 0, 1, 3, 5, 6], SIZES)  # not sorted: data-set order need not be
LENGTHS = np.arange(1, len(CLASS_IDS) + 1) * 3


def batches(steps=300, **changes):
    options = dict(batch_size=12, per_identity=4, shuffle=False, seed=0) | changes
    return [sampling.rows(CLASS_IDS, step=step, **options) for step in range(steps)]


def test_pure_function_of_seed_and_step():
    options = dict(batch_size=12, per_identity=4, shuffle=True)
    first = sampling.rows(CLASS_IDS, **options, seed=3, step=7)
    np.random.seed(0)  # the global generator has no part in it
    np.testing.assert_array_equal(first, sampling.rows(CLASS_IDS, **options, seed=3, step=7))
    assert (first != sampling.rows(CLASS_IDS, **options, seed=3, step=8)).any()
    assert (first != sampling.rows(CLASS_IDS, **options, seed=4, step=7)).any()


def test_streams_steps_and_seeds_share_no_numbers():
    keys = [(seed, stream, step) for seed in (0, 1) for stream in (0, 1, 2) for step in (0, 1, 2)]
    numbers = [sampling.generator(*key).integers(0, 2**63, 1000) for key in keys]
    assert len(np.unique(np.concatenate(numbers))) == 1000 * len(keys)


def test_identities_times_sequences():
    for rows in batches():
        groups = CLASS_IDS[rows].reshape(3, 4)
        assert (groups == groups[:, :1]).all()  # K of one identity stay together
        assert len(np.unique(groups[:, 0])) == 3  # enough identities: no replacement
        for label, picks in zip(groups[:, 0], rows.reshape(3, 4), strict=True):
            enough = np.sum(CLASS_IDS == label) >= 4
            assert len(np.unique(picks)) == 4 if enough else len(np.unique(picks)) <= 4


def test_every_identity_and_sequence_is_equally_likely():
    drawn = np.concatenate(batches(steps=4000))
    of_identity = np.bincount(CLASS_IDS[drawn], minlength=7) / len(drawn)
    np.testing.assert_allclose(of_identity, 1 / 7, atol=0.01)  # three standard deviations
    large = np.bincount(drawn, minlength=len(CLASS_IDS))[CLASS_IDS == 0]
    np.testing.assert_allclose(large / large.sum(), 1 / 12, atol=0.01)


def test_fewer_identities_than_asked_for_are_drawn_with_replacement():
    repeats = 0
    for rows in batches(batch_size=36):  # 9 of 7 identities
        identities = CLASS_IDS[rows].reshape(9, 4)[:, 0]
        repeats += len(np.unique(identities)) < 7
    assert repeats > 200  # independent draws, not each once and then again


def test_shuffle_keeps_the_batch():
    plain, mixed = batches(), batches(shuffle=True)
    assert all(sorted(a) == sorted(b) for a, b in zip(plain, mixed, strict=True))
    assert sum((a != b).any() for a, b in zip(plain, mixed, strict=True)) > 290


def test_uniform_subset():
    drawn = batches(per_identity=0, batch_size=20)
    assert all(len(np.unique(rows)) == 20 for rows in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=len(CLASS_IDS))
    np.testing.assert_allclose(counts / counts.sum(), 1 / len(CLASS_IDS), atol=0.006)
    whole = sampling.rows(CLASS_IDS, len(CLASS_IDS), 0, False, 0, 0)
    np.testing.assert_array_equal(np.sort(whole), np.arange(len(CLASS_IDS)))


def test_impossible_batches():
    with pytest.raises(DataError, match="batch_size is 36, but there are only 35 sequences"):
        sampling.rows(CLASS_IDS, 36, 0, False, 0, 0)
    with pytest.raises(DataError, match="batch_size = 10 is no multiple of .* = 4"):
        sampling.rows(CLASS_IDS, 10, 4, False, 0, 0)
    with pytest.raises(DataError, match="train.clip is 'fixed'"):
        sampling.windows(LENGTHS, np.arange(3), 4, 0, "fixed", 0, 0)
    with pytest.raises(DataError, match="eval.window is 'middle'"):
        sampling.eval_starts(LENGTHS, 4, "middle", 0)


def draw_windows(length, frames, skip, kind, count=4000):
    lengths = np.array([99, length])
    return sampling.windows(lengths, np.ones(count, int), frames, skip, kind, 0, 0)


@pytest.mark.parametrize("length", [20, 8, 5, 1])
def test_ordered_windows_are_consecutive_in_the_repeated_sequence(length):
    windows = draw_windows(length, frames=8, skip=0, kind="ordered")
    np.testing.assert_array_equal(np.diff(windows, axis=1) % length, 1 % length)
    # 20 frames leave 13 starts, 8 one; 5 are repeated to 10: 3 starts.
    starts, counts = np.unique(windows[:, 0], return_counts=True)
    np.testing.assert_array_equal(starts, range({20: 13, 8: 1, 5: 3, 1: 1}[length]))
    np.testing.assert_allclose(counts / 4000, 1 / len(starts), atol=0.03)


def test_skip_leaves_out_frames_of_a_longer_window():
    windows = draw_windows(length=15, frames=8, skip=4, kind="ordered")
    assert (np.diff(windows, axis=1) > 0).all() and windows.max() == 14 and windows.min() == 0
    assert (windows[:, -1] - windows[:, 0] < 12).all()
    kept = draw_windows(length=12, frames=8, skip=4, kind="ordered")
    np.testing.assert_allclose(np.bincount(kept.ravel()) / len(kept), 8 / 12, atol=0.03)


def test_unordered_frames():
    windows = draw_windows(length=15, frames=8, skip=0, kind="unordered")
    assert all(len(set(w)) == 8 for w in windows)
    np.testing.assert_allclose(np.bincount(windows[:, 0]) / 4000, 1 / 15, atol=0.02)
    np.testing.assert_allclose(np.bincount(windows[:, -1]) / 4000, 1 / 15, atol=0.02)
    short = draw_windows(length=3, frames=8, skip=0, kind="unordered")
    np.testing.assert_allclose(np.bincount(short.ravel()) / short.size, 1 / 3, atol=0.02)
    assert any(len(set(w)) < 3 for w in short)  # independent draws
    exact = draw_windows(length=8, frames=8, skip=0, kind="unordered")
    assert all(len(set(w)) == 8 for w in exact)


def test_windows_stay_within_each_sequence():
    rows = np.arange(len(LENGTHS))
    for kind in ("ordered", "unordered"):
        windows = sampling.windows(LENGTHS, rows, 10, 0, kind, seed=1, step=2)
        assert windows.shape == (len(rows), 10) and windows.min() >= 0
        assert (windows < LENGTHS[:, None]).all()


def test_evaluation_windows():
    lengths = np.array([9, 4, 3], np.int32)
    np.testing.assert_array_equal(sampling.eval_starts(lengths, 4, "center", 0), [[2], [0], [1]])
    mean = sampling.eval_starts(lengths, 4, "mean", 0)
    assert mean.shape == (3, sampling.MEAN_WINDOWS)
    np.testing.assert_array_equal(mean, [[0, 2, 3, 5], [0, 0, 0, 0], [0, 1, 1, 2]])
    random = sampling.eval_starts(np.full(2000, 9), 4, "random", 0)
    assert random.shape == (2000, 1) and set(random[:, 0]) == set(range(6))
    again = sampling.eval_starts(np.full(2000, 9), 4, "random", 0)
    np.testing.assert_array_equal(random, again)
    assert (random != sampling.eval_starts(np.full(2000, 9), 4, "random", 1)).any()


def test_clip_all():
    np.testing.assert_array_equal(sampling.clip_all(np.array([3, 9]), 5), [3, 5])
    np.testing.assert_array_equal(sampling.clip_all(np.array([3, 9]), 0), [3, 9])


@pytest.mark.parametrize("longest", [1, 7, 8, 9, 1500])
def test_buckets_hold_every_sequence_once(longest):
    lengths = np.random.default_rng(0).integers(1, longest, 1000, endpoint=True)
    chosen = np.arange(3, 1000)
    buckets = sampling.buckets(lengths, chosen)
    np.testing.assert_array_equal(np.sort(np.concatenate([r for r, _ in buckets])), chosen)
    for rows, size in buckets:
        assert size % 8 == 0 and (lengths[rows] <= size).all()
        assert (size < 1.5 * lengths[rows] + 16).all()
    sizes = [size for _, size in buckets]
    assert len(set(sizes)) == len(sizes) <= 12 and sizes[-1] < max(longest + 8, 17)
