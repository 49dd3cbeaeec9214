"""The README says what is there: generated tables, commands and flags that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gaitjax import config, zoo

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"python -m ((?:gaitjax|converters)\.[\w.]+)((?: +[^\s`#|]+)*)", README)


def test_zoo_table_is_current():
    assert zoo.markdown() in README


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS}))
def test_commands_and_flags_exist(module):
    text = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert text.returncode == 0, text.stderr
    assert len(text.stdout.splitlines()) <= 40, "the help does not fit one screen"
    for flags in (flags for name, flags in COMMANDS if name == module):
        for flag in re.findall(r"(?<= )--[\w]+", flags):
            assert flag in text.stdout, f"{module} has no {flag}"


def test_named_configs_and_fields_exist():
    for name in re.findall(r"--config (?:configs/)?(\w+)", README):
        config.load(name)
    fields = config.load("gaitgraph2_grew")
    for key, value in re.findall(r"--config\.([\w.]+)=([\w.]+)", README):
        if key != "FIELD":
            config.override(fields.copy_and_resolve_references(), key, value)
