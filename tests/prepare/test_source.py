"""Sources that are archives, lie in folders of their own, or hold links."""

import pytest
from ml_collections import ConfigDict

from gaitjax.data import partitions
from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.__main__ import main
from tests.helpers import raw_sets
from tests.helpers.archive_files import pack


@pytest.mark.parametrize("name", ["again.zip", "again.tar.gz"])
@pytest.mark.parametrize("top", ["", "2D_Poses/", "Gait3D/2D_Poses/"])
def test_a_source_may_be_an_archive(tmp_path, name, top):
    raw, _ = raw_sets.gait3d(tmp_path / "raw")
    members = [(f"{top}{p.relative_to(raw)}", p.read_bytes()) for p in raw.rglob("*.txt")]
    if top:
        members += [("__MACOSX/x/._f", b""), ("README.txt", b"")]
    archive = pack(tmp_path / name, members)
    for given, output in ((raw, "one"), (archive, "two"), (archive, "three")):
        arguments = ["--source", str(given), "--output", str(tmp_path / output), "--workers", "1"]
        assert main(["gait3d", *arguments]) == 0
    log = (tmp_path / "one/prepare_log.jsonl").read_bytes()
    assert (tmp_path / "two/prepare_log.jsonl").read_bytes() == log
    assert (tmp_path / "three/prepare_log.jsonl").read_bytes() == log


def test_what_is_no_archive(tmp_path, capsys):
    (tmp_path / "poses.rar").touch()
    source_, output = str(tmp_path / "poses.rar"), str(tmp_path / "out")
    assert main(["gait3d", "--source", source_, "--output", output]) == 1
    assert "expected a folder, or an archive (.zip, .tar.gz, .tgz, .tar)" in capsys.readouterr().err


def test_a_set_that_lies_right_there_is_taken_as_it_is(tmp_path):
    for name in ("0001/nm/000/000.pkl", "0001/nm/090/090.pkl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert source.data_folder(str(tmp_path), ("*/*/*/*.pkl",)) == str(tmp_path)
    assert source.data_folder(str(tmp_path), ("*.pkl",)) == str(tmp_path)  # nowhere


def test_links_are_followed(tmp_path):
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/in/a.txt").write_bytes(b"text")
    (tmp_path / "root/link").symlink_to("in")
    (tmp_path / "beside").mkdir()
    root = tmp_path / "root"
    (root / "out").symlink_to("../beside")
    (root / "lost").symlink_to("nowhere")
    assert source.folders(root) == ["in", "link", "out"]
    assert source.files(root, "link", "*.txt") == ["a.txt"]
    assert source.read(root, "link/a.txt") == b"text"
    for path in ("../beside", "in/../../beside", str(tmp_path / "beside")):
        with pytest.raises(DataError, match="outside of"):
            source.folders(root, path)
    with pytest.raises(DataError, match="No such file"):
        source.read(root, "lost")


def test_one_rule_for_links_out_of_a_data_set(tmp_path, capsys):
    """Preparation and training follow them, or both refuse them, as they are told."""
    raw, partition = raw_sets.gait3d(tmp_path / "raw")
    (raw / "0003").rename(tmp_path / "elsewhere")
    (raw / "0003").symlink_to("../elsewhere")
    (raw / "0004/within").symlink_to("camid0_videoid1")
    out = tmp_path / "out"
    arguments = ["gait3d", "--source", str(raw), "--partition", str(partition), "--workers", "1"]
    assert main([*arguments, "--output", str(out), "--links", "refuse"]) == 1
    assert "raw/0003 leads to " in capsys.readouterr().err and not out.exists()
    assert main([*arguments, "--output", str(out)]) == 0
    assert (out / "0003/camid0_videoid1/seq0/seq0.pkl").is_file()

    place = {"name": "gait3d", "root": str(out), "partition": "", "links": "refuse"}
    assert "0003" in partitions.open_split(ConfigDict(place), "train").ids
    (out / "0002").rename(tmp_path / "moved")
    (out / "0002").symlink_to(tmp_path / "moved")
    with pytest.raises(DataError, match="out/0002 leads to .*moved, outside of .*data.links"):
        partitions.open_split(ConfigDict(place), "train")
    place["links"] = "follow"
    assert "0002" in partitions.open_split(ConfigDict(place), "train").ids
