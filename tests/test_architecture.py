"""Arrows point down: the import graph of gaitjax, configs and converters, drawn from the source.

An import inside a function counts as any other, so that none can hide a cycle.
"""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP_FLOOR = 13  # files

# Rooms from the ground up, those of one floor on one line: a file imports from its own floor and
# from those before it.
ROOMS = """
gaitjax.errors
gaitjax.extras gaitjax.files gaitjax.progress
gaitjax.command gaitjax.digest
gaitjax.skeleton gaitjax.untrusted
gaitjax.sharding gaitjax.weights
gaitjax.data
gaitjax.models
gaitjax.config
configs
gaitjax.transforms
gaitjax.training
gaitjax.evaluation
gaitjax.video
gaitjax.conversion
gaitjax.prepare
gaitjax.zoo
gaitjax.performance
gaitjax.api gaitjax.testing
gaitjax.identify
gaitjax
gaitjax.export
gaitjax.train gaitjax.evaluate gaitjax.benchmark gaitjax.scaling
gaitjax.identify.tune gaitjax.identify.__main__
converters
""".split("\n")[1:-1]


def sources(root: Path = ROOT) -> dict[str, Path]:
    """Module -> its file."""
    found = {}
    for room in ("gaitjax", "configs", "converters"):
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(text: str, modules: Iterable[str]) -> dict[str, int]:
    """Modules of ours that a source text imports, anywhere in it, with the line."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write out the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if name:
                found.setdefault(name, node.lineno)
    return found


def graph(root: Path = ROOT) -> dict[str, dict[str, int]]:
    """Module -> what it imports."""
    files = sources(root)
    drawn = {module: imports(path.read_text(), files) for module, path in files.items()}
    return {module: {t: n for t, n in to.items() if t != module} for module, to in drawn.items()}


def cycle(arrows: Mapping[str, Iterable[str]]) -> list[str]:
    """One cycle of a graph, its first node also last; empty if there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for target in arrows.get(node, ()):
            if found := walk(target, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in arrows if (found := walk(node, []))), [])


def floor(module: str) -> int:
    """The number of a module's line in ROOMS: that of the longest name which begins it."""
    names = {name: i for i, line in enumerate(ROOMS) for name in line.split()}
    room = module
    while room not in names:
        room = room.rpartition(".")[0]
        assert room, f"{module} is in no room of {__name__}.ROOMS; say where it lies"
    return names[room]


def package(module: str) -> str:
    """gaitjax.data.cache -> gaitjax.data; converters.tteepe -> converters."""
    first, *rest = module.split(".")
    return f"{first}.{rest[0]}" if first == "gaitjax" and rest else first


def commands() -> list[str]:
    """Modules that end through `gaitjax.command.run`: the doors."""
    return [m for m, path in sources().items() if "return command.run(" in path.read_text()]


def test_no_cycle_of_files():
    assert not (found := cycle(graph())), " imports ".join(found)


def test_no_cycle_of_packages():
    arrows: dict[str, set[str]] = {}
    for module, to in graph().items():
        arrows.setdefault(package(module), set()).update(map(package, to))
    arrows = {room: to - {room} for room, to in arrows.items()}
    assert not (found := cycle(arrows)), " imports ".join(found)


def test_no_arrow_points_up():
    upward = [
        f"{module}:{line} imports {target}"
        for module, to in graph().items()
        for target, line in to.items()
        if floor(target) > floor(module)
    ]
    assert not upward, "\n".join(upward)


def test_no_command_imports_another():
    known = set(commands())
    assert {"gaitjax.train", "gaitjax.zoo.__main__", "converters.opengait"} <= known
    drawn = graph()
    found = [f"{m} imports {t}" for m in known for t in drawn[m] if t in known]
    assert not found, found


def test_the_top_floor_is_not_crowded():
    names = sorted(p.name for p in (ROOT / "gaitjax").glob("*.py") if p.name != "__init__.py")
    assert len(names) <= TOP_FLOOR, names


@pytest.mark.parametrize(
    "files",
    [
        {"gaitjax/a.py": "import gaitjax.b", "gaitjax/b.py": "def f():\n    from gaitjax import a"},
        {"gaitjax/a.py": "from configs import b", "configs/b.py": "from gaitjax.a import x"},
    ],
)
def test_a_cycle_would_be_seen(files, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert len(cycle(graph(tmp_path))) == 3
