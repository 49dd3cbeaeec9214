"""What the training command says of input it cannot use: one clear error, nothing written."""

import json
import pickle
import shutil

import numpy as np
import pytest

from gaitjax import train
from gaitjax.data import walkers
from tests.helpers import tiny


@pytest.fixture
def data(tmp_path):
    """A small data set to break."""
    return walkers.generate(tmp_path / "walkers", identities=4, test_identities=2, frames=20)


def first_pose(root):
    return sorted((root / "001").rglob("*.pkl"))[0]


def message(tmp_path, capsys, *more: str, name: str = "gaitgraph2_walkers") -> str:
    """The error of a training command that must fail; the work directory must not appear."""
    workdir = tmp_path / "out"
    code = train.main(
        ["--config", name, "--workdir", str(workdir), f"--config.data.cache_dir={tmp_path / 'c'}"]
        + [*tiny.ARGUMENTS, *more]
    )
    error = capsys.readouterr().err
    assert code == 1 and error.startswith("error: ")
    assert "Traceback" not in error and not workdir.exists()
    return error


def test_no_root_says_where_the_data_comes_from(tmp_path, capsys):
    error = message(tmp_path, capsys, name="gaitgraph2_grew")
    assert "GREW" in error and "request" in error and "data.root" in error
    assert "python -m gaitjax.prepare grew" in error


def test_missing_root(tmp_path, capsys):
    error = message(tmp_path, capsys, f"--config.data.root={tmp_path / 'nowhere'}")
    assert str(tmp_path / "nowhere") in error


def test_empty_partition(tmp_path, capsys, data):
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({"TRAIN_SET": [], "TEST_SET": ["001"]}))
    error = message(
        tmp_path, capsys, f"--config.data.root={data}", f"--config.data.partition={empty}"
    )
    assert "train" in error and "empty" in error


def test_identity_without_sequences(tmp_path, capsys, data):
    shutil.rmtree(data / "001")
    (data / "001").mkdir()
    error = message(tmp_path, capsys, f"--config.data.root={data}")
    assert str(data / "001") in error


def test_view_without_file(tmp_path, capsys, data):
    path = first_pose(data)
    path.unlink()
    assert str(path.parent) in message(tmp_path, capsys, f"--config.data.root={data}")


def test_wrong_joint_count(tmp_path, capsys, data):
    path = first_pose(data)
    path.write_bytes(pickle.dumps(np.ones((20, 18, 3), np.float32)))
    error = message(tmp_path, capsys, f"--config.data.root={data}")
    assert str(path) in error and "18" in error and "17" in error and "data.joints" in error


def test_not_a_number(tmp_path, capsys, data):
    path = first_pose(data)
    poses = np.ones((20, 17, 3), np.float32)
    poses[3, 4, 1] = np.nan
    path.write_bytes(pickle.dumps(poses))
    error = message(tmp_path, capsys, f"--config.data.root={data}")
    assert str(path) in error and "frame 3" in error


def test_truncated_pickle(tmp_path, capsys, data):
    path = first_pose(data)
    path.write_bytes(path.read_bytes()[:500])
    assert str(path) in message(tmp_path, capsys, f"--config.data.root={data}")


class Payload:
    def __reduce__(self):
        return print, ("this must not run",)


def test_pickle_that_runs_code(tmp_path, capsys, data):
    path = first_pose(data)
    path.write_bytes(pickle.dumps(Payload()))
    error = message(tmp_path, capsys, f"--config.data.root={data}")
    assert str(path) in error and "print" in error
    assert "this must not run" not in capsys.readouterr().out


def test_unknown_config_key(tmp_path, capsys):
    error = message(tmp_path, capsys, "--config.train.stepz=3")
    assert "stepz" in error and "steps" in error


def test_unknown_config(tmp_path, capsys):
    assert "gaitgraph2_grew" in message(tmp_path, capsys, name="gaitgraph2_greww")


def test_batch_larger_than_the_set(tmp_path, capsys, data):
    more = ("--config.train.batch_size=640", "--config.train.per_identity=0")
    error = message(tmp_path, capsys, f"--config.data.root={data}", *more)
    assert "640" in error and "train.batch_size" in error and "32" in error


def test_batch_that_does_not_split_over_the_devices(tmp_path, capsys, data):
    error = message(tmp_path, capsys, f"--config.data.root={data}", "--config.train.batch_size=12")
    assert "12" in error and "8 devices" in error


def test_work_directory_of_another_config(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    other = tiny.config(tmp_path)
    other.schedule.lr = 0.125
    (tmp_path / "out" / "config.json").write_text(other.to_json())
    arguments = tiny.arguments(tmp_path)
    code = train.main(
        ["--config", "gaitgraph2_walkers", "--workdir", str(tmp_path / "out"), *arguments]
    )
    error = capsys.readouterr().err
    assert code == 1 and "schedule.lr: 0.125 there, 0.005 here" in error
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["config.json"]


def test_workdir_is_a_file(tmp_path, capsys):
    (tmp_path / "out").write_text("")
    arguments = tiny.arguments(tmp_path)
    code = train.main(
        ["--config", "gaitgraph2_walkers", "--workdir", str(tmp_path / "out"), *arguments]
    )
    assert code == 1 and str(tmp_path / "out") in capsys.readouterr().err
