"""README, docs and notebook say what is there: commands, flags, fields, links, tables, code."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gaitjax
from docs import make_api, make_cli, make_identify, make_speed, make_tables
from gaitjax import config as configs
from gaitjax import zoo
from gaitjax.data import walkers
from gaitjax.errors import ConfigError
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.train import train

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("docs/*.md")}
PAGES["README.md"] = (ROOT / "README.md").read_text()
for path in ROOT.glob("docs/*.ipynb"):
    sources = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    PAGES[path.relative_to(ROOT).as_posix()] = "\n".join(sources)
LINES_OF_A_SCREEN = 30

# README commands that the tests below, or those named, run; and those that none can run.
RUN = {
    "make test": "this",
    "python -m gaitjax.zoo list": "tests/zoo/test_zoo.py",
    "python -m gaitjax.zoo show gaitgraph2_grew": "tests/zoo/test_zoo.py",
    "python -m gaitjax.benchmark --config gaitgraph2_grew": "tests/test_benchmark.py",
    "python -m gaitjax.export --config gaittr_gait3d --checkpoint weights.npz "
    "--to stablehlo --output walk.stablehlo": "tests/export/test_export.py",
    "python -m gaitjax.export --config gaittr_gait3d --checkpoint weights.npz "
    "--to onnx --output walk.onnx": "tests/export/test_export.py",
    "python -m gaitjax.export --config gaittr_gait3d --checkpoint weights.npz "
    "--to saved --output walk": "tests/export/test_export.py",
    "python -m gaitjax.zoo push out --repo me/walks "
    "--licence cc-by-4.0": "tests/zoo/test_shared.py",
    "python -m pytest tests/models/test_forward_goldens.py": "this",
    "python -m gaitjax.identify enrol --gallery people.npz --name ann "
    "walk.json": "tests/identify/test_command.py",
    "python -m gaitjax.identify who --gallery people.npz "
    "other.json": "tests/identify/test_command.py",
    "python -m converters.opengait --config gaitgraph2_grew --checkpoint model.pt "
    "--output weights.npz": "test_newcomer",
    "python -m converters.to_opengait --config gaitgraph2_grew --checkpoint weights.npz "
    "--output model.pt": "test_newcomer",
}
NEEDS = {
    "make demo": "ten minutes; test_train.py runs the same programs briefly",
    "pip install .": "a package index; test_wheel.py installs the wheel",
    "pip install '.[cuda]'": "a package index and a GPU",
    "pip install '.[convert,hub]'": "a package index",
    "pip install '.[export]'": "a package index",
    "python -m gaitjax.train --config gaitgraph2_grew --workdir out --config.data.root=DIR": "GREW",
    "python -m converters.opengait --zoo gaitgraph2_grew --output weights.npz": "the hub",
    "python -m converters.tteepe --config gaitgraph2_casiab_tteepe --checkpoint FILE.ckpt "
    "--output weights.npz": "the authors' file; test_convert.py converts a look-alike",
    "python -m gaitjax.evaluate --config gaitgraph2_oumvlp17 --checkpoint weights.npz "
    "--config.data.root=DIR": "OUMVLP",
    "python -m gaitjax.zoo reproduce gaitgraph2_oumvlp17 --config.data.root=DIR": "the hub, OUMVLP",
    "python -m gaitjax.evaluate --config gaitgraph2_grew --checkpoint out --config.data.root=DIR "
    "--config.eval.protocol=grew_submission": "GREW",
    "python -m gaitjax.prepare gait3d --source 2D_Poses --output gait3d "
    "--partition Gait3D.json": "Gait3D; test_text_frames.py prepares a made-up one",
    "python -m gaitjax.prepare cmu_walks --output cmu_walks": "CMU's server; test_cmu_walks.py "
    "fetches from a local one",
    "python -m gaitjax.train --multihost --config gaitgraph2_grew --workdir out "
    "--config.data.root=DIR": "several hosts; test_train.py starts two processes",
}


def written_commands(text: str) -> list[str]:
    """Command lines in a page: in code blocks, comments and line ends removed, or in backticks."""
    joined = text.replace("\\\n", " ")
    blocks = re.findall(r"^```\w*\n(.*?)^```", joined, re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    outside = re.sub(r"^```.*?^```", "", joined, flags=re.S | re.M)
    lines += re.findall(r"`([^`]+)`", outside)
    found = []
    for line in lines:
        for part in re.split(r"  #|; |  +(?=pip )", line.removeprefix("example: ")):
            match = re.search(r"\b(python -m|make|pip install) .*", part)
            if match and part.strip().startswith(("python", "make", "pip", "JAX_")):
                found.append(" ".join(match.group().split()))
    return found


PROGRAMS = sorted(
    {
        (page, command)
        for page, text in PAGES.items()
        for command in written_commands(text)
        if re.match(r"python -m (gaitjax|converters)\b", command)
    }
)


@pytest.fixture(scope="module")
def parsers():
    return make_cli.commands()


@pytest.mark.parametrize(("page", "command"), PROGRAMS)
def test_commands_exist(page, command, parsers, capsys):
    """The real parser of the program takes the written line; what it leaves are config fields."""
    _, _, module, *words = shlex.split(command)
    names = [name for name in parsers if name.split()[0] == module]
    assert names, f"{page}: no program {module}"
    if words and f"{module} {words[0]}" in parsers:
        module, words = f"{module} {words[0]}", words[1:]
    if module not in parsers or words in ([], ["--help"]):
        return  # speaks of the program, or of all its subcommands
    try:
        args, rest = parsers[module].parse_known_args(words)
    except SystemExit:
        error = capsys.readouterr().err
        assert "no such folder" in error, f"{page}: {command}\n{error}"
        return
    name = getattr(args, "config", None) or getattr(args, "zoo", None) or ""
    known = name.removeprefix("configs/").removesuffix(".py")
    fields = configs.load(known if known in configs.names() else "gaitgraph2_grew")
    if name and not name.endswith(".py") and name not in ("NAME", "FILE.py"):
        assert known in configs.names(), f"{page}: no config {name}"
    configs.override_all(fields, [a for a in rest if not a.startswith("--config.FIELD=")])


def test_python_reference_is_of_today():
    assert PAGES["docs/api.md"] == make_api.page(), "run python docs/make_api.py"


def test_flags_exist(parsers):
    """A flag named anywhere is one of our programs', or of those that the text compares with."""
    foreign = {"--cfgs", "--phase", "--iter", "--log_to_file", "--local_rank", "--nproc_per_node"}
    foreign |= {"--worker", "--command"}  # of gcloud
    # of tests/programs
    foreign |= {"--count", "--save_every", "--batch", "--data", "--out", "--exchange"}
    foreign |= {"--build-arg", "--rm", "--gpus", "--isolation"}  # of docker and buildah
    known = {"--help"} | {flag for p in parsers.values() for flag in p._option_string_actions}
    for page, text in PAGES.items():
        for flag in re.findall(r"(?<=[`\s(])--[a-z](?:[\w.-]*\w)?", text):
            is_ours = flag in known or flag.startswith("--config.")
            assert is_ours or flag in foreign or page.endswith("ipynb"), f"{page}: {flag}"


@pytest.mark.parametrize("page", PAGES)
def test_fields_exist(page):
    """Fields named in the text: `--config.a.b=c`, `a.b=c` and plain `section.field`."""
    fields = configs.load("gaitgraph2_grew")
    skeleton = configs.load("skeletongait_gait3d")
    sections = "|".join(k for k in fields if hasattr(fields[k], "keys") and k != "loss")
    prose = re.sub(r"^```python.*?^```", "", PAGES[page], flags=re.S | re.M)
    for key in re.findall(rf"`(?:--config\.)?((?:{sections})\.[a-z_]+)\b", prose):
        section, field = key.split(".")
        known = set(fields[section]) | set(skeleton[section]) | {"widths"}
        assert field in known, f"{page}: no field {key}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".md")])
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.S | re.M)
    for target in re.findall(r"(?:\]\(|src=\")(?!https?:)([^)\"\s]+)", text):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        heads = re.findall(r"^#+ (.+)$", file.read_text(), re.M) if anchor else ()
        anchors = {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}
        assert not anchor or anchor in anchors, f"{page}: {target}"


def test_files_named_in_the_text_exist():
    pattern = r"`((?:gaitjax|configs|converters|tests|docs)/[\w./]+?)/?`"
    for page, text in PAGES.items():
        for path in re.findall(pattern, text):
            assert (ROOT / path).exists() or "NAME" in path, f"{page}: {path}"


@pytest.mark.parametrize("page", make_tables.pages())
def test_tables_are_current(page):
    """Those of data sets and of numbers, between their marks."""
    assert make_tables.with_tables(page, PAGES[page]) == PAGES[page], "run docs/make_tables.py"


def test_tables_are_of_the_record():
    assert zoo.markdown() in PAGES["README.md"]
    changed = PAGES["README.md"].replace("| 62.99 |", "| 62.98 |")
    assert make_tables.with_tables("README.md", changed) == PAGES["README.md"] != changed


def test_speed_tables_are_current():
    for path in make_speed.PAGES:
        page = path.read_text()
        assert make_speed.with_table(page) == page, "run: python docs/make_speed.py"
        assert make_speed.table() in page


def test_tables_of_identification_are_current():
    assert make_identify.with_tables(PAGES["docs/identify.md"]) == PAGES["docs/identify.md"]


def test_reference_is_current():
    assert make_cli.page() == PAGES["docs/cli.md"], "run: python docs/make_cli.py"


def test_reference_has_every_program():
    """Modules that run as programs are exactly those of the reference."""
    mains = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for package in ("gaitjax", "converters")
        for path in ROOT.glob(f"{package}/**/*.py")
        if "return command.run(" in path.read_text()
    ]
    assert {name.removesuffix(".__main__") for name in mains} == set(make_cli.PROGRAMS)


def test_every_preparation_is_listed():
    """data.md names every subcommand of prepare."""
    from gaitjax.prepare.__main__ import COMMANDS

    named = re.findall(r"`(\w+)`|python -m gaitjax\.prepare (\w+)", PAGES["docs/data.md"])
    assert set(COMMANDS) <= {name for pair in named for name in pair}


def test_help_fits_a_screen(parsers, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for name, parser in parsers.items():
        text = parser.format_help()
        assert len(text.splitlines()) <= LINES_OF_A_SCREEN, f"{name}: longer than a screen"
        assert "example: python -m" in text, f"{name}: no example"
        assert all(len(line) <= 100 for line in text.splitlines()), f"{name}: a long line"


def test_bad_options_give_short_errors(parsers, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    for name, parser in parsers.items():
        with pytest.raises(SystemExit):
            parser.parse_args(["--no-such-option"])
        error = capsys.readouterr().err.splitlines()
        assert len(error) <= 8 and "error: " in error[-1], f"{name}: {error}"


def test_readme_commands_are_run_or_cannot_be():
    written = {c for c in written_commands(PAGES["README.md"]) if "NAME" not in c}
    assert written == set(RUN) | set(NEEDS)
    for test in RUN.values():
        assert test in ("this", "test_newcomer") or (ROOT / test).exists()


@pytest.mark.slow  # compiles a whole GaitGraph2
def test_newcomer(tmp_path):
    """The README's way from a checkpoint to embeddings, on a look-alike of a released one."""
    pytest.importorskip("torch")
    from tests.helpers.torch_files import opengait_state, save

    name = "gaitgraph2_grew"
    save(tmp_path / "model.pt", opengait_state(name), iteration=50_000)
    before = (tmp_path / "model.pt").read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}

    def python(*arguments: str) -> str:
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment | {"XLA_FLAGS": ""},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    for command in (c for c, where in RUN.items() if where == "test_newcomer"):
        said = python(*shlex.split(command)[1:])
    assert "iteration 50000" in said and (tmp_path / "model.pt").read_bytes() != before
    code = re.search(r"```python\n(import numpy.*?)```", PAGES["README.md"], re.S).group(1)
    said = python("-c", code + "print(embeddings.shape)")
    assert said.splitlines()[-1] == "(3, 384, 1)" and 0 <= float(said.split()[-4]) <= 100
    code = re.search(r"```python\n(import json.*?)```", PAGES["docs/converting.md"], re.S).group(1)
    assert python("-c", code).splitlines()[-1] == "(256, 128)"


def test_array_example(tmp_path, monkeypatch):
    """The code of evaluation.md runs on what --save_embeddings writes."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = np.repeat(["ann", "bob", "cem"], 5)
    np.savez(tmp_path / "embeddings.npz", embeddings=rng.normal(size=(15, 8, 1)), labels=labels)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", PAGES["docs/evaluation.md"], re.S).group(1)
    names = {}
    exec(code, names)
    assert names["positions"].shape == (5, 3)


def test_own_network(tmp_path, monkeypatch, capsys):
    """The network of extending.md: checked, trained, evaluated and loaded as its page says."""
    code, check, load = re.findall(r"```python\n(.*?)```", PAGES["docs/extending.md"], re.S)[:3]
    (tmp_path / "mean_pose.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    exec(check, {})
    assert capsys.readouterr().out == ""
    config = configs.load("mean_pose.py")
    config.data.cache_dir = str(tmp_path)
    config.train.steps = 30
    _, metrics = train(config, "out")
    headline = metrics["evaluation"]["headline"]
    assert headline["Rank-1"] > 5 * metrics["evaluation"]["chance"]["Rank-1"]
    record = evaluate_checkpoint(config, tmp_path / "out", wishes=Wishes(figures=False))
    assert record["headline"] == headline
    names = {}
    exec(load, names)
    walk = np.random.default_rng(0).uniform(0, 100, (30, 17, 3))
    assert names["model"].embed([walk]).shape == (1, 32, 1)
    monkeypatch.delitem(sys.modules, "mean_pose")
    with pytest.raises(ConfigError, match="never imports code by itself: import mean_pose first"):
        gaitjax.load("out")
    assert "mean_pose" not in sys.modules
    assert gaitjax.load("out", config="mean_pose.py").config.train.steps == 100


def test_own_data(tmp_path, monkeypatch, capsys):
    """The check of extending.md, on walkers."""
    (code,) = re.findall(r"```python\n([^`]*check_data.*?)```", PAGES["docs/extending.md"], re.S)
    monkeypatch.chdir(tmp_path)
    walkers.generate(Path("DIR"), identities=4, test_identities=2, frames=20)
    exec(code, {})
    assert capsys.readouterr().out == ""
