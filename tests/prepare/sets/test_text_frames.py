"""GREW and Gait3D from one text a frame to a trained network, and text that is none."""

import json
import os
from functools import partial

import numpy as np
import pytest

from gaitjax.config import load
from gaitjax.data import sets
from gaitjax.errors import DataError
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.prepare import source
from gaitjax.prepare.__main__ import COMMANDS, main
from gaitjax.prepare.driver import Job
from gaitjax.prepare.sets import text_frames
from gaitjax.train import train
from gaitjax.training import checkpoint
from gaitjax.untrusted import safe_pickle
from tests.helpers import loading, raw_sets, tiny_sets

PATTERN = "human_crop_f*.txt"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Both data sets, from the command line."""
    folder = tmp_path_factory.mktemp("prepared")
    gait3d, partition = raw_sets.gait3d(folder / "gait3d-raw")
    more = {"grew": [], "gait3d": ["--partition", str(partition)]}
    sources = {"grew": raw_sets.grew(folder / "grew-raw"), "gait3d": gait3d}
    for name, raw in sources.items():
        where = ["--source", str(raw), "--output", str(folder / name), "--workers", "1"]
        assert main([name, *where, *more[name]]) == 0
    return folder


def test_grew_has_the_ids_types_and_views_of_the_specification(prepared):
    root = prepared / "grew"
    found = {str(p.parent.relative_to(root)) for p in root.rglob("*.pkl")}
    expected = {f"{i:05d}train/00/{view}" for i in range(4) for view in ("seq9", "seq10")}
    # Types in natural order of the names: 8v before 10v.
    expected |= {f"{i:05d}/{s}" for i in range(20) for s in ("01/8v", "02/10v")}
    assert found == expected | {f"probe/03/p{i}" for i in range(3)}
    poses = raw_sets.written(tiny_sets.poses(1, 17))
    assert np.array_equal(safe_pickle.load(root / "00000train/00/seq9/seq9.pkl"), poses)


def test_gallery_numbers_leave_out_the_type_of_the_probes(tmp_path):
    raw = tmp_path / "raw"
    for view in ("a", "b", "c", "d"):
        folder = raw / "test" / "gallery" / "00007" / view
        raw_sets.text_frames(folder, tiny_sets.poses(0, 17), "{}_2d_pose.txt")
    arguments = ["grew", "--source", str(raw), "--output", str(tmp_path / "out"), "--workers", "1"]
    assert main(arguments) == 0
    assert sorted(os.listdir(tmp_path / "out/00007")) == ["01", "02", "04", "05"]
    notes = json.loads((tmp_path / "out/summary.json").read_text())["notes"]
    assert notes["gallery identities with 4 sequences, not 2"] == 1
    assert notes["folder absent: train"] == notes["folder absent: test/probe"] == 1


def test_gait3d_keeps_names_partition_and_the_order_of_time(prepared):
    root = prepared / "gait3d"
    poses = raw_sets.written(tiny_sets.poses(11, 17))
    assert np.array_equal(safe_pickle.load(root / "0001/camid2_videoid3/seq0/seq0.pkl"), poses)
    assert (root / "partition.json").exists()
    notes = json.loads((root / "summary.json").read_text())["notes"]
    assert notes["sequences re-ordered by natural sort"] == 12


def test_compat_leaves_the_frames_as_strings_sort_them(prepared, tmp_path):
    folder = prepared / "gait3d-raw"
    job = Job("0001", "camid2_videoid3", "seq0", ("0001/camid2_videoid3/seq0",))
    made = text_frames.make(job, str(folder), PATTERN, compat=True)
    names = sorted(os.listdir(folder / job.files[0]))
    order = [int(name[12:-4]) - raw_sets.FIRST for name in names]
    assert order != sorted(order)
    poses = raw_sets.written(tiny_sets.poses(11, 17))
    assert np.array_equal(made.array.astype(np.float32), poses[order])
    assert made.notes == {"sequences left in an order that is not that of time": 1}


@pytest.mark.parametrize("name", ["gaitgraph2_grew", "gaitgraph2_gait3d"])
@pytest.mark.usefixtures("quick")
def test_trains_and_evaluates(prepared, tmp_path, name):
    config = tiny_sets.shrink(load(name))
    config.data.update(root=str(prepared / name[11:]), cache_dir=str(tmp_path / "cache"))
    config.train.steps = 2
    config.eval.protocol = {"gaitgraph2_grew": "grew_local"}.get(name, config.eval.protocol)
    train(config, tmp_path / "out")
    assert checkpoint.load_variables(tmp_path / "out")[1]["step"] == 2
    record = evaluate_checkpoint(
        config, tmp_path / "out", tmp_path / "again", Wishes(figures=False)
    )
    assert np.isfinite(list(record["headline"].values())).all()
    test = loading.packed(config.data, "test")
    assert len(test.labels) == (43 if name == "gaitgraph2_grew" else 4)


def frames(folder, *contents: bytes) -> text_frames.Made:
    (folder / "s").mkdir(exist_ok=True)
    for number, content in enumerate(contents, start=10):
        (folder / "s" / f"human_crop_f{number}.txt").write_bytes(content)
    return text_frames.make(Job("a", "b", "c", ("s",)), str(folder), PATTERN, compat=False)


def numbers(count: int, separator: str = ",") -> bytes:
    return separator.join(map(str, range(count))).encode()


def test_frames_of_51_and_53_numbers(tmp_path):
    made = frames(tmp_path, numbers(53), numbers(51), numbers(53, "\n"), numbers(53) + b",\r\n")
    assert np.array_equal(made.array[0].ravel(), np.arange(2, 53))
    assert np.array_equal(made.array[1].ravel(), np.arange(51))
    assert np.array_equal(made.array[[0, 0]], made.array[[2, 3]])
    assert made.notes == {"frames of 51 numbers, taken as the joints alone": 1}


def test_frames_that_are_none_are_counted(tmp_path):
    last = numbers(52) + b","
    bad = [b"", numbers(52), numbers(54), numbers(53) * 2, b"\xff\xfe" * 9]
    words = [last + b"x", last + b"1_0", last + b"\0"]
    wild = [last + b"nan", last + b"-inf", last + b"1e300", last + b"1" * 400]
    made = frames(tmp_path, *bad, *words, *wild, numbers(53))
    assert made.array.shape == (1, 17, 3)
    assert made.notes == {
        "frames dropped: not 51 or 53 numbers": 5,
        "frames dropped: text that is not numbers": 3,
        "frames dropped: numbers that are no pixels": 4,
    }
    assert frames(tmp_path / "s", b"?").array is None


def test_any_bytes_give_a_frame_or_a_count(tmp_path):
    rng = np.random.default_rng(0)
    whole = ",".join(map(str, rng.uniform(-5, 300, 53).round(2))).encode()
    for _ in range(500):
        data = bytearray(whole)
        for position in rng.integers(0, len(data), rng.integers(1, 4)):
            data[position] = rng.integers(256)
        result = text_frames._parse(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]))
        assert isinstance(result, str) or (len(result) in (51, 53) and np.isfinite(result).all())


def test_links_are_followed_or_refused(tmp_path, capsys):
    outside = raw_sets.text_frames(
        tmp_path / "secret", tiny_sets.poses(0, 17), "human_crop_f{}.txt"
    )
    raw, _ = raw_sets.gait3d(tmp_path / "raw")
    arguments = ["gait3d", "--source", str(raw), "--workers", "1", "--output"]
    (raw / "inside").symlink_to(raw / "0000")
    assert main([*arguments, str(tmp_path / "first")]) == 0
    assert (tmp_path / "first/inside/camid0_videoid1/seq0/seq0.pkl").exists()

    frame = raw / "0002/camid0_videoid1/seq0/human_crop_f97.txt"
    frame.unlink()
    frame.symlink_to(outside / "human_crop_f97.txt")
    assert main([*arguments, str(tmp_path / "second")]) == 0
    record = json.loads((tmp_path / "second/summary.json").read_text())
    assert record["dropped"] == 0 and record["sequences"] == 14
    assert main([*arguments, str(tmp_path / "third"), "--links", "refuse"]) == 1
    assert "human_crop_f97.txt leads to" in capsys.readouterr().err
    assert not (tmp_path / "third").exists()


def test_what_is_no_file_is_not_opened(tmp_path):
    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "s" / "human_crop_f7.txt")
    with pytest.raises(DataError, match="not an ordinary file"):
        frames(tmp_path, numbers(53))
    os.unlink(tmp_path / "s" / "human_crop_f7.txt")
    with pytest.raises(DataError, match="refused above 0.062 MiB"):
        frames(tmp_path, b"1" * (2**16 + 1))


def test_natural_order():
    names = ["f10", "f9", "f100", "f09", "a", "10", "9", ""]
    assert sorted(names, key=source.natural) == ["", "9", "10", "a", "f09", "f9", "f10", "f100"]


def test_partitions_of_other_data_are_refused(tmp_path, capsys):
    raw, partition = raw_sets.gait3d(tmp_path / "raw")
    run = partial(_gait3d_error, raw, partition, tmp_path / "out", capsys)
    assert "TRAIN_SET" in run({"TEST_SET": []})
    assert "nothing of TRAIN_SET (x, ...)" in run(dict(TRAIN_SET=["x"], TEST_SET=[]))
    assert "nothing of PROBE_SET" in run(
        dict(TRAIN_SET=["0000"], TEST_SET=["0001"], PROBE_SET=["0001-a-b"])
    )
    partition.write_text("[" * 100_000)
    assert "lists within lists without end" in run(None)
    assert not (tmp_path / "out").exists()


def _gait3d_error(raw, partition, output, capsys, sets) -> str:
    if sets is not None:
        partition.write_text(json.dumps(sets))
    arguments = ["--source", str(raw), "--output", str(output), "--partition", str(partition)]
    assert main(["gait3d", *arguments]) == 1
    return capsys.readouterr().err


def test_what_is_missing_of_a_partition_is_counted(tmp_path):
    raw, path = raw_sets.gait3d(tmp_path / "raw")
    partition = json.loads(path.read_text())
    partition["TRAIN_SET"] += ["9998", "9999"]
    path.write_text(json.dumps(partition))
    names = list(source.sequences(raw))
    assert source.partition(path, names) == (
        partition,
        {"of the partition's TRAIN_SET, not in the source": 2},
    )


def test_every_command_that_an_error_names_exists():
    for name in set(sets.SETS) - {"walkers"}:
        words = sets.how_to_get(name).split("python -m ")[1].split()
        assert words[0] == "gaitjax.prepare" and words[1] in COMMANDS
        assert words[1] == (name if name != "own" else "opengait")


def test_an_unfinished_set_is_not_trained_on(prepared, tmp_path):
    config = load("gaitgraph2_grew")
    config.data.root = str(tmp_path)
    (tmp_path / ".prepare").mkdir()
    (tmp_path / ".prepare/journal.jsonl").touch()
    with pytest.raises(DataError, match="cut short.*--resume"):
        loading.packed(config.data, "train")


def test_usage_and_mistakes(tmp_path, capsys):
    assert main(["--help"]) == 0 and main([]) == 2
    usage = capsys.readouterr().out
    assert all(name in usage for name in COMMANDS)
    assert main(["gait3"]) == 2
    assert "did you mean gait3d" in capsys.readouterr().err
    raw = raw_sets.grew(tmp_path / "raw", train=1, test=1)
    nowhere = str(tmp_path / "nowhere")
    for arguments, why in (
        (["--source", nowhere, "--output", str(tmp_path / "o")], "does not exist"),
        (["--source", str(raw), "--output", str(raw / "out")], "one in the other"),
        (["--source", str(raw / "train"), "--output", nowhere], "neither train nor test/gallery"),
    ):
        assert main(["grew", *arguments]) == 1
        assert why in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_screen(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    text = capsys.readouterr().out
    assert "example" in text and f"gaitjax.prepare {name}" in text
    assert len(text.splitlines()) <= 45
