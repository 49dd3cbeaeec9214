import json

import pytest
from ml_collections import ConfigDict

from gaitjax.data import partitions
from gaitjax.data.sets import SETS
from gaitjax.errors import DataError


@pytest.fixture
def make(tmp_path):
    """data config with folders for the given ids and, if given, a partition file."""

    def make(name, ids=(), partition=None) -> ConfigDict:
        root = tmp_path / "root"
        for i in ids:
            (root / i).mkdir(parents=True, exist_ok=True)
        path = ""
        if partition is not None:
            path = str(tmp_path / "partition.json")
            with open(path, "w") as file:
                file.write(partition if isinstance(partition, str) else json.dumps(partition))
        return ConfigDict(dict(name=name, root=str(root), partition=path, links="follow"))

    return make


def test_oumvlp_rule(make):
    train, test, probe = partitions.load(make("oumvlp", ["00001"]))
    assert len(train) == 5153 and len(test) == 5154 and not probe
    assert train[:2] == ("00001", "00003") and train[-1] == "10305"
    assert test[:2] == ("00002", "00004") and test[-2:] == ("10306", "10307")


def test_casiab_rule(make):
    train, test, _ = partitions.load(make("casiab", ["001"]))
    assert train == tuple(f"{i:03d}" for i in range(1, 75))
    assert test == tuple(f"{i:03d}" for i in range(75, 125))


def test_grew_rule_goes_by_the_folders(make):
    ids = ["00002train", "00001train", "probe", "00007", "00003", "distractor"]
    train, test, _ = partitions.load(make("grew", ids))
    assert train == ("00001train", "00002train")
    assert test == ("00003", "00007", "probe")


def test_json_order_is_kept_and_missing_ids_are_counted(make, capsys):
    sets = dict(TRAIN_SET=["b", "gone", "a"], TEST_SET=["c"], PROBE_SET=["c-cam-seq"])
    data = make("gait3d", ["a", "b", "c"], sets)
    assert partitions.open_split(data, "train").ids == ("b", "a")
    assert capsys.readouterr().out == (
        "gait3d train: 1 of 3 listed ids are not on disk and left out (gone)\n"
    )
    assert partitions.open_split(data, "test").ids == ("c",)
    assert capsys.readouterr().out == ""
    assert partitions.load(data).probe == ("c-cam-seq",)


def test_json_in_the_root_is_used_unless_another_is_given(make, tmp_path):
    data = make("oumvlp", ["x", "y"])
    (tmp_path / "root" / "partition.json").write_text(
        json.dumps(dict(TRAIN_SET=["x"], TEST_SET=["y"]))
    )
    assert partitions.load(data).train == ("x",)
    data = make("oumvlp", ["x", "y"], dict(TRAIN_SET=["y"], TEST_SET=["x"]))
    assert partitions.load(data).train == ("y",)


@pytest.mark.parametrize("name", sorted(SETS))
def test_missing_root_says_where_to_get_the_data(make, name):
    for root in ("", "/nowhere/at all"):
        data = make(name)
        data.root = root
        with pytest.raises(DataError) as raised:
            partitions.load(data)
        message = str(raised.value)
        assert name in message and root in message and "data.root" in message
        assert "python -m gaitjax." in message
        if name not in ("walkers", "cmu_walks", "own"):
            free = name in ("van_criekinge", "cu_denver")
            assert ("free at" if free else "request it") in message
            assert f"gaitjax.prepare {name} --source" in message


def test_root_that_is_a_file(make, tmp_path):
    data = make("oumvlp")
    (tmp_path / "root").write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        partitions.load(data)


def test_unknown_name_offers_near_ones(make):
    with pytest.raises(DataError, match="'casia-b'.*did you mean casiab.*Known: oumvlp"):
        partitions.load(make("casia-b", ["001"]))


@pytest.mark.parametrize(
    "name", ["gait3d", "ccpg", "sustech1k", "walkers", "cmu_walks", "van_criekinge", "cu_denver"]
)
def test_without_rule_or_json(make, name):
    with pytest.raises(DataError, match="no built-in partition.*set data.partition"):
        partitions.load(make(name, ["0001"]))


@pytest.mark.parametrize(
    "content, says",
    [
        ("{", "not JSON"),
        ("[1, 2]", "found no object"),
        ({"TRAIN_SET": ["a"]}, "found the keys TRAIN_SET"),
        ({"TRAIN_SET": ["a"], "TEST_SET": "b"}, "TEST_SET is not a list of texts"),
        ({"TRAIN_SET": [1], "TEST_SET": ["b"]}, "TRAIN_SET is not a list of texts"),
        ({"TRAIN_SET": ["a", "a"], "TEST_SET": ["b"]}, "TRAIN_SET lists an id twice"),
    ],
)
def test_bad_json(make, content, says):
    data = make("gait3d", ["a"], content)
    with pytest.raises(DataError, match=says) as raised:
        partitions.load(data)
    assert data.partition in str(raised.value)


def test_missing_json(make):
    data = make("gait3d", ["a"])
    data.partition = "/nowhere/gait3d.json"
    with pytest.raises(DataError, match="/nowhere/gait3d.json.*cannot be read: No such file"):
        partitions.load(data)


def test_empty_split_and_all_ids_missing(make):
    sets = dict(TRAIN_SET=[], TEST_SET=["1", "2", "3", "4"])
    data = make("ccpg", ["001", "002"], sets)
    with pytest.raises(DataError, match="train set of ccpg is empty.*001, 002"):
        partitions.open_split(data, "train")
    with pytest.raises(DataError, match=r"none of the 4 test ids of ccpg \(1, 2, 3, ...\).*001"):
        partitions.open_split(data, "test")
    with pytest.raises(DataError, match="train set of grew is empty"):
        partitions.open_split(make("grew", ["001"]), "train")
    with pytest.raises(DataError, match="split is 'val'"):
        partitions.open_split(data, "val")
