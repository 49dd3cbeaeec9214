"""The gallery in Python: enrol, identify, calibrate, remove, save and load."""

import numpy as np
import pytest

import gaitjax
from gaitjax.errors import DamagedError, DataError
from gaitjax.identify import networks
from tests.helpers.people import Seer, walk


@pytest.fixture
def gallery():
    made = gaitjax.Gallery(Seer())
    made.enrol("ann", [walk(0.1), walk(0.12)], sources=["a.json, 1", "a.json, 2"])
    made.enrol("bob", [walk(0.9)])
    return made


def test_answers(gallery):
    assert gallery.names == ["ann", "bob"]
    # The nearest two walks of different people are 0.78 apart: nobody farther is named.
    assert gallery.threshold.value == pytest.approx(0.78)
    ann, bob, nobody = gallery.identify([walk(0.15), walk(0.8), walk(0.1, 0.99, 0.01, 0.99)], top=1)
    assert (ann.name, bob.name, nobody.name) == ("ann", "bob", None)
    assert ann.distance == pytest.approx(0.03, abs=1e-4) and ann.margin == pytest.approx(
        0.72, abs=1e-4
    )
    assert len(ann.candidates) == 1 and nobody.candidates[0][0] == "ann"
    # As near as no enrolled stranger, of two: one in three at most.
    assert ann.strangers == pytest.approx(1 / 3)
    assert nobody.why == "no name is near enough"
    assert gallery.found_again() == (2, 2)


def test_a_useless_walk_is_unknown(gallery):
    (answer,) = gallery.identify([walk(0.1)[:5]])
    assert answer.name is None and "fewer than 10 frames" in answer.why


def test_one_person_alone_is_no_threshold():
    alone = gaitjax.Gallery(Seer())
    alone.enrol("ann", [walk(0.1)])
    (answer,) = alone.identify([walk(0.1)])
    assert answer.name is None and "no threshold" in answer.why and answer.margin is None


def test_calibrated_with_impostors(gallery):
    impostors = {str(i): [walk(0.5 + i / 100)] for i in range(1, 10)}
    found = gallery.calibrate(0.1, impostors, where="DIR")
    assert found.value == pytest.approx(0.9 - 0.59) and found.promised == pytest.approx(0.1)
    assert gallery.identify([walk(0.55)])[0].name is None
    with pytest.raises(DataError, match="a walk of x is enrolled"):
        gallery.calibrate(0.1, {"x": [walk(0.9)]})
    with pytest.raises(DataError, match="fpir is 2"):
        gallery.calibrate(2)
    with pytest.raises(DataError, match="nobody is enrolled"):
        gaitjax.Gallery(Seer()).calibrate()


def test_kept_in_a_file_that_moves(gallery, tmp_path):
    path = gallery.save(tmp_path / "people.npz")
    with np.load(path, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
    path = path.rename(tmp_path / "elsewhere.npz")
    read = gaitjax.Gallery.load(path, Seer())
    assert read.contents.walks == gallery.contents.walks and read.threshold.value == pytest.approx(
        gallery.threshold.value
    )
    assert read.identify([walk(0.15)]) == gallery.identify([walk(0.15)])
    with pytest.raises(DataError, match="from a model, which is not here"):
        gaitjax.Gallery.load(path)


def test_removed_means_deleted(gallery, tmp_path):
    row = gallery.contents.embeddings[2].tobytes()
    assert row in gallery.save(tmp_path / "people.npz").read_bytes()
    assert gallery.remove("bob") == 1
    stored = gallery.save(tmp_path / "people.npz").read_bytes()
    assert row not in stored and b"b\0\0\0o\0\0\0b" not in stored
    assert gallery.names == ["ann"] and gallery.threshold.value == 0
    with pytest.raises(DataError, match="nobody called 'bob' is enrolled; enrolled: ann"):
        gallery.remove("bob")


def test_other_weights_are_refused(gallery, tmp_path):
    path = gallery.save(tmp_path / "people.npz")
    with pytest.raises(
        DataError, match="people.npz: the gallery's embeddings are of other weights"
    ):
        gaitjax.Gallery.load(path, Seer(1.0))
    other = Seer()
    other.config.data.normalise = "oriented"
    assert networks.fingerprint(other) != networks.fingerprint(Seer())


def test_a_changed_byte_is_noticed_or_does_no_harm(gallery, tmp_path):
    path = gallery.save(tmp_path / "people.npz")
    stored, noticed = path.read_bytes(), 0
    for place in range(40, len(stored), 97):
        data = bytearray(stored)
        data[place] ^= 16
        path.write_bytes(data)
        try:
            found = gaitjax.Gallery.load(path, Seer()).contents
        except DataError as error:
            noticed += "people.npz" in str(error)
        else:  # in a date, or between the arrays
            np.testing.assert_array_equal(found.embeddings, gallery.contents.embeddings)
            assert found.names.tolist() == gallery.contents.names.tolist()
            assert found.walks == gallery.contents.walks
    assert noticed > 10
    path.write_bytes(stored[: len(stored) // 2])
    with pytest.raises(DataError, match="damaged"):
        gaitjax.Gallery.load(path, Seer())


def test_altered_numbers_are_noticed(gallery, tmp_path):
    path = gallery.save(tmp_path / "people.npz")
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(path, **arrays | {"names": np.array(["ann", "ann", "ann"])})
    with pytest.raises(DamagedError, match="names"):
        gaitjax.Gallery.load(path, Seer())
    np.savez(path, x=np.zeros(3))
    with pytest.raises(DataError, match="no gallery: found the arrays x"):
        gaitjax.Gallery.load(path, Seer())


def test_a_name_or_a_walk_twice(gallery):
    with pytest.raises(DataError, match="'Ann' is enrolled already, spelt 'ann'"):
        gallery.enrol("Ann", [walk(0.3)])
    with pytest.raises(DataError, match="walk 0: this walk is enrolled already; enrol another"):
        gallery.enrol("ann", [walk(0.1)])
    with pytest.raises(DataError, match="already, as ann: one walk, two names"):
        gallery.enrol("cyd", [walk(0.1)])
    with pytest.raises(DataError, match="no name"):
        gallery.enrol(" ", [walk(0.3)])
    with pytest.raises(DataError, match="nobody can be told by it"):
        gallery.enrol("cyd", [walk(0.3)[:4]])
    assert gallery.names == ["ann", "bob"]


def test_two_people_under_one_name_are_noticed(gallery):
    gallery.enrol("cyd", [walk(0.5, 0.1), walk(0.5, 0.9)], sources=["x", "y"])
    assert [note.partition(":")[0] for note in gallery.notes] == ["x", "y"]
    assert "0.8 from the other walks of cyd, threshold 0.5" in gallery.notes[0]
    gallery.enrol("dan", [walk(0.9, 0.9), walk(0.91, 0.9)])
    assert gallery.notes == []


def test_mean_of_walks():
    mean = gaitjax.Gallery(Seer(), match="mean")
    mean.enrol("ann", [walk(0.1), walk(0.3)])
    mean.enrol("bob", [walk(0.8)])
    assert mean.identify([walk(0.2)])[0].distance == pytest.approx(0, abs=1e-3)
    with pytest.raises(DataError, match="match is 'best'; use one of: nearest, mean"):
        gaitjax.Gallery(Seer(), match="best")
