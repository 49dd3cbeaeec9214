"""Archives and folders that would lead outside, or eat the disk."""

import stat
import zipfile

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.__main__ import main
from tests.helpers import raw_sets


def pack(path, members) -> str:
    """A zip of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (mode | 0o777) << 16
    return info


def test_an_archive_is_unpacked_whole(tmp_path):
    archive = pack(tmp_path / "a.zip", [("x/1.txt", b"one"), ("x/y/2.txt", b"two"), ("z/", b"")])
    source.unpack(archive, tmp_path / "a")
    assert (tmp_path / "a/x/y/2.txt").read_bytes() == b"two" and (tmp_path / "a/z").is_dir()
    with pytest.raises(DataError, match="exists already"):
        source.unpack(archive, tmp_path / "a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.zip"]


@pytest.mark.parametrize(
    "member, why",
    [
        ("../evil.txt", "outside of its folder"),
        ("a/../../evil.txt", "outside of its folder"),
        ("/tmp/evil.txt", "outside of its folder"),
        ("C:/evil.txt", "outside of its folder"),
        ("..\\evil.txt", "outside of its folder"),
        (special("link", stat.S_IFLNK), "link or device"),
        (special("pipe", stat.S_IFIFO), "link or device"),
        ("good.txt", "twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_would_do_harm(tmp_path, member, why):
    archive = pack(tmp_path / "a.zip", [("good.txt", b"good"), (member, b"/etc")])
    with pytest.raises(DataError, match=f"a.zip.*{why}.*nothing was unpacked"):
        source.unpack(archive, tmp_path / "a")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_bomb(tmp_path):
    archive = pack(tmp_path / "a.zip", [(f"{i}.txt", bytes(2**20)) for i in range(4)])
    with pytest.raises(DataError, match="more than 200 times"):
        source.unpack(archive, tmp_path / "a")


def test_damaged_archives(tmp_path):
    rng = np.random.default_rng(0)
    members = [(f"{i}.txt", rng.integers(0, 10, 300).astype(np.uint8).tobytes()) for i in range(3)]
    whole = pack(tmp_path / "whole.zip", members).read_bytes()
    archive, folder = tmp_path / "a.zip", tmp_path / "a"
    refused = 0
    for _ in range(200):
        data = bytearray(whole)
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(256)
        archive.write_bytes(data[: rng.integers(len(data) // 2, 2 * len(data))])
        try:
            source.unpack(archive, folder)
        except DataError as error:
            assert "a.zip" in str(error)
            refused += 1
            assert not folder.exists()
        else:
            for path in folder.iterdir():
                path.unlink() if path.is_file() else path.rmdir()
            folder.rmdir()
    assert refused > 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "whole.zip"]


def test_a_source_may_be_an_archive(tmp_path):
    raw, _ = raw_sets.gait3d(tmp_path / "raw")
    members = [(str(p.relative_to(raw)), p.read_bytes()) for p in raw.rglob("*.txt")]
    archive = pack(tmp_path / "again.zip", members)
    for given, output in ((raw, "one"), (archive, "two"), (archive, "three")):
        arguments = ["--source", str(given), "--output", str(tmp_path / output), "--workers", "1"]
        assert main(["gait3d", *arguments]) == 0
    log = (tmp_path / "one/prepare_log.jsonl").read_bytes()
    assert (tmp_path / "two/prepare_log.jsonl").read_bytes() == log


def test_links_within_and_without(tmp_path):
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/in/a.txt").write_bytes(b"text")
    (tmp_path / "root/link").symlink_to("in")
    (tmp_path / "beside").mkdir()
    root = tmp_path / "root"
    assert source.folders(root) == ["in", "link"]
    assert source.files(root, "link", "*.txt") == ["a.txt"]
    assert source.read(root, "link/a.txt") == b"text"
    for path in ("../beside", "in/../../beside", str(tmp_path / "beside")):
        with pytest.raises(DataError, match="outside of"):
            source.folders(root, path)
    (root / "out").symlink_to("../beside")
    with pytest.raises(DataError, match="root/out leads to .*beside, outside of"):
        source.folders(root)
    (root / "out").unlink()
    (root / "lost").symlink_to("nowhere")
    assert source.folders(root) == ["in", "link"]
    with pytest.raises(DataError, match="No such file"):
        source.read(root, "lost")
