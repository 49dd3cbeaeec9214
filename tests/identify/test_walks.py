"""What each kind of source holds."""

import pickle

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.identify import walks
from tests.helpers.people import walk, write_results


def store(folder, poses):
    folder.mkdir(parents=True)
    (folder / "x.pkl").write_bytes(pickle.dumps(poses.astype(np.float32)))


def test_everybody_in_results(tmp_path):
    path = write_results(tmp_path / "two.json", walk(number=1), walk(number=2)[:40] + [300, 0, 0])
    first, second = walks.read(path)
    assert (first.person, len(first.poses)) == ("1", 60)
    assert (second.person, len(second.poses)) == ("2", 40)
    assert first.source == str(path)


def test_who_passes_through_is_left_out(tmp_path):
    path = write_results(tmp_path / "a.json", walk(number=1), walk(number=2)[:5] + [300, 0, 0])
    assert [w.person for w in walks.read(path)] == ["1"]


def test_arrays(tmp_path):
    np.save(tmp_path / "one.npy", walk())
    np.save(tmp_path / "two.npy", np.stack([walk(), walk(number=2)]))
    np.save(tmp_path / "flat.npy", np.zeros((3, 51)))
    assert len(walks.read(tmp_path / "one.npy")) == 1
    assert [w.person for w in walks.read(tmp_path / "two.npy")] == ["1", "2"]
    np.testing.assert_array_equal(walks.read(tmp_path / "one.npy")[0].poses, walk())
    with pytest.raises(DataError, match=r"flat.npy: an array float64 \(3, 51\); expected poses"):
        walks.read(tmp_path / "flat.npy")
    (tmp_path / "bad.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match="bad.npy: no .npy of numbers"):
        walks.read(tmp_path / "bad.npy")
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match="object.npy: no .npy of numbers"):
        walks.read(tmp_path / "object.npy")


def test_pickles_in_opengaits_layout(tmp_path):
    for label in ("ann", "bob"):
        for view in ("000", "090"):
            store(tmp_path / "set" / label / "nm-01" / view, walk())
    found = walks.read(tmp_path / "set")
    assert [w.person for w in found][:2] == ["ann/nm-01/000", "ann/nm-01/090"]
    assert [w.whose for w in found] == ["ann", "ann", "bob", "bob"]
    assert {w.whose for w in walks.read(tmp_path / "set" / "ann")} == {""}
    assert len(walks.read(tmp_path / "set/ann/nm-01/000/x.pkl")) == 1
    assert {k: len(v) for k, v in walks.people(tmp_path / "set", walks.DEFAULTS).items()} == {
        "ann": 2,
        "bob": 2,
    }


def test_people_of_a_folder_of_sources(tmp_path):
    write_results(tmp_path / "a.json", walk())
    with pytest.raises(DataError, match="a.json: no such folder"):
        walks.people(tmp_path / "a.json", walks.DEFAULTS)
    (tmp_path / "all").mkdir()
    with pytest.raises(DataError, match="all: empty"):
        walks.people(tmp_path / "all", walks.DEFAULTS)
    write_results(tmp_path / "all/a.json", walk(), walk(number=2) + [300, 0, 0])
    np.save(tmp_path / "all/b.npy", walk())
    found = walks.people(tmp_path / "all", walks.DEFAULTS)
    assert list(found) == ["a.json, 1", "a.json, 2", "b.npy, 1"]


def test_other_frame_rates_are_converted(tmp_path):
    np.save(tmp_path / "fast.npy", walk())
    options = walks.Options(frame_rate=50.0)
    assert len(walks.read(tmp_path / "fast.npy", options)[0].poses) == 30
    path = write_results(tmp_path / "fast.json", walk())
    assert len(walks.read(path, options)[0].poses) == 30
    assert len(walks.read(path, walks.Options(frame_rate=30.0))[0].poses) == 60


def test_nothing_there_and_nobody(tmp_path):
    with pytest.raises(DataError, match="no such file or folder; expected results of a pose"):
        walks.read(tmp_path / "x.json")
    (tmp_path / "none.json").write_text('[{"frame_id": 1, "instances": []}]')
    with pytest.raises(DataError, match="no person in any of its 1 frames"):
        walks.read(tmp_path / "none.json")
