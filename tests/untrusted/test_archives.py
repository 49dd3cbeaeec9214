"""Archives that would lead outside, or eat the disk."""

import stat
import tarfile
import zipfile

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.untrusted import archives
from tests.helpers.archive_files import pack


def special(kind: str, name: str) -> zipfile.ZipInfo | tarfile.TarInfo:
    """A symbolic link ("link") or a pipe, in a zip or a tar."""
    if kind.startswith("zip"):
        info = zipfile.ZipInfo(name)
        info.external_attr = ((stat.S_IFLNK if "link" in kind else stat.S_IFIFO) | 0o777) << 16
        return info
    info = tarfile.TarInfo(name)
    info.type = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}.get(kind[4:], tarfile.FIFOTYPE)
    info.linkname = "/etc/passwd"
    return info


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
def test_an_archive_is_unpacked_whole(tmp_path, name):
    members = [("x/1.txt", b"one"), ("x/y/2.txt", b"two"), ("z/", b""), ("__MACOSX/x/._1", b"")]
    archive = pack(tmp_path / name, members)
    assert archives.stem(name) == "a"
    archives.unpack(archive, tmp_path / "a")
    assert (tmp_path / "a/x/y/2.txt").read_bytes() == b"two" and (tmp_path / "a/z").is_dir()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["x", "z"]
    with pytest.raises(DataError, match="exists already"):
        archives.unpack(archive, tmp_path / "a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", name]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize(
    "member, why",
    [
        ("../evil.txt", "outside of its folder"),
        ("a/../../evil.txt", "outside of its folder"),
        ("/tmp/evil.txt", "outside of its folder"),
        ("C:/evil.txt", "outside of its folder"),
        ("..\\evil.txt", "outside of its folder"),
        ("good.txt", "twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_would_do_harm(tmp_path, name, member, why):
    archive = pack(tmp_path / name, [("good.txt", b"good"), (member, b"/etc")])
    with pytest.raises(DataError, match=f"{name}.*{why}.*nothing was unpacked"):
        archives.unpack(archive, tmp_path / "a")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", ["zip link", "zip pipe", "tar link", "tar hard", "tar pipe"])
def test_links_and_devices(tmp_path, kind):
    path = tmp_path / f"a.{kind[:3]}"
    pack(path, [("good.txt", b"good"), (special(kind, "link"), b"/etc")])
    with pytest.raises(DataError, match="'link' is a link or device"):
        archives.unpack(path, tmp_path / "a")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_bomb(tmp_path, name):
    archive = pack(tmp_path / name, [(f"{i}.txt", bytes(2**20)) for i in range(4)])
    with pytest.raises(DataError, match="more than 200 times"):
        archives.unpack(archive, tmp_path / "a")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_bomb_of_empty_members(tmp_path):
    archive = pack(tmp_path / "a.tar.gz", [(f"{i:05d}", b"") for i in range(4000)])
    if archive.stat().st_size * 200 < 4000 * 512:
        with pytest.raises(DataError, match="more than 200 times"):
            archives.unpack(archive, tmp_path / "a")


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_damaged_archives(tmp_path, ending):
    rng = np.random.default_rng(0)
    members = [(f"{i}.txt", rng.integers(0, 10, 300).astype(np.uint8).tobytes()) for i in range(3)]
    whole = pack(tmp_path / f"whole.{ending}", members).read_bytes()
    archive, folder = tmp_path / f"a.{ending}", tmp_path / "a"
    refused = 0
    for _ in range(200):
        data = bytearray(whole)
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(256)
        archive.write_bytes(data[: rng.integers(len(data) // 2, 2 * len(data))])
        try:
            archives.unpack(archive, folder)
        except DataError as error:
            assert archive.name in str(error)
            refused += 1
            assert not folder.exists()
        else:
            for path in folder.iterdir():
                path.unlink() if path.is_file() else path.rmdir()
            folder.rmdir()
    assert refused > 100
    assert sorted(p.name for p in tmp_path.iterdir()) == [archive.name, f"whole.{ending}"]
