"""Where a command is typed: folders there must not come before the package and its configs.

A package is on the path as an installation puts it there; `python -m` puts the current folder
before it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("gaitjax", "configs", "converters")  # as in a clone's parent and in OpenGait's root
MINE = """
from configs import common

def get_config():
    return common.gaittr("grew")
"""


@pytest.fixture
def here(tmp_path):
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    return tmp_path


def python(here: Path, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("module", ["gaitjax.train", "converters.opengait"])
def test_commands_run_beside_folders_of_their_name(here, module):
    assert "usage" in python(here, "-m", module, "--help")


def test_packaged_configs_are_found_by_place(here):
    (here / "configs" / "gaitgraph2_grew.yaml").write_text("of another project")
    code = (
        "from gaitjax import config; print(config.load('configs/gaitgraph2_grew.py').train.steps)"
    )
    assert python(here, "-c", code).strip() == "50000"


def test_a_package_called_configs_hides_nothing_and_stays(here):
    (here / "configs" / "__init__.py").write_text("MINE = 1")
    (here / "configs" / "other.py").write_text("")
    (here / "own.py").write_text(MINE)
    code = (
        "import configs.other\n"
        "from gaitjax import config\n"
        "print(len(config.names()) > 40, config.load('gaitgraph2_grew').model.name)\n"
        "print(config.load('own.py').model.name)\n"
        "import sys, configs\n"
        "print(configs.MINE, sorted(m for m in sys.modules if m.startswith('configs')))\n"
    )
    assert python(here, "-c", code).splitlines() == [
        "True gaitgraph2",
        "gaittr",
        "1 ['configs', 'configs.other']",
    ]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought -P")
def test_a_package_called_converters_needs_a_safe_path(here):
    """Python itself looks there first: the one case that only its own switch helps."""
    (here / "converters" / "__init__.py").write_text("")
    assert "usage" in python(here, "-P", "-m", "converters.opengait", "--help")
