"""The worked changes of CONTRIBUTING.md fit the code as it is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIFFS = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.S)


def test_there_is_one_for_each_kind():
    files = [re.findall(r"^\+\+\+ b/(\S+)", diff, flags=re.M)[0] for diff in DIFFS]
    folders = ["models", "training", "skeleton", "data"]
    assert [file.split("/")[1] for file in files] == folders


@pytest.mark.skipif(shutil.which("git") is None, reason="git applies them")
@pytest.mark.parametrize("number", range(len(DIFFS)))
def test_applies(number, tmp_path):
    shutil.copytree(ROOT / "gaitjax", tmp_path / "gaitjax")
    run = subprocess.run(
        ["git", "apply", "-"],
        input=DIFFS[number],
        cwd=tmp_path,
        env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    for file in re.findall(r"^\+\+\+ b/(\S+)", DIFFS[number], flags=re.M):
        compile((tmp_path / file).read_text(), file, "exec")
