"""The wheel holds the packages and the configs, and works away from the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gaitjax", "configs", "converters")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that the repository stays clean; by the setuptools at hand."""
    folder = tmp_path_factory.mktemp("wheel")
    source, built = folder / "source", folder / "dist"
    no_caches = shutil.ignore_patterns("__pycache__")
    for package in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / package, source / package, ignore=no_caches)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", str(source), "--no-build-isolation", "--wheel-dir", str(built))
    return next(built.iterdir())


def test_an_editable_installation_is_a_line_on_the_path(tmp_path):
    """Not a finder: before that comes any folder called gaitjax, configs or converters."""
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        shutil.copy(ROOT / package / "__init__.py", tmp_path / package)
    build = "from setuptools import build_meta; print(build_meta.build_editable('.'))"
    run = subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        (line,) = (archive.read(n).decode() for n in archive.namelist() if n.endswith(".pth"))
    assert Path(line.strip()) == tmp_path


def pip(command: str, *arguments: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pip", command, "--no-deps", "--no-index", "--quiet", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert run.returncode == 0, run.stderr


def test_contents(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    expected = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in ROOT.glob(f"{package}/**/*.py")
    }
    assert expected <= set(names)
    assert any(name.endswith("LICENSE") for name in names)
    shipped = {f"gaitjax/identify/network/{n}" for n in ("weights.npz", "strangers.npz")}
    assert shipped | {"gaitjax/identify/network/README.md"} <= set(names)


def test_installed_alone(wheel, tmp_path):
    """Installed into an empty folder: a bare config name finds the packaged config."""
    installed = tmp_path / "site"
    pip("install", "--target", str(installed), str(wheel))

    def python(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(installed)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )

    modules = "gaitjax, configs.common, converters.opengait, gaitjax.config"
    script = (
        f"import {modules}; print(gaitjax.__file__, configs.__file__, converters.__file__);"
        "print(len(gaitjax.config.names()), gaitjax.config.load('gaitgraph2_grew').train.steps)"
    )
    run = python("-c", script)
    files, counts = run.stdout.splitlines()
    assert all(file.startswith(str(installed)) for file in files.split()), run.stderr
    configs = [p for p in (ROOT / "configs").glob("*.py") if p.stem not in ("common", "__init__")]
    assert counts == f"{len(configs)} 50000"

    train = ["-m", "gaitjax.train", "--config", "gaitgraph2_grew", "--workdir", "out"]
    run = python(*train)
    assert run.returncode == 1 and not (tmp_path / "out").exists()
    assert "no folder given for grew: set data.root" in run.stderr
    assert python("-m", "gaitjax.zoo", "list").stdout.count("gaitgraph2_") == 4
