"""Configs by file or bare name, strict `--config.key=value` overrides, and stored ones."""

import argparse
import ast
import contextlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import command
from gaitjax.config.check import check
from gaitjax.config.fields import base, field_at
from gaitjax.config.values import nearest
from gaitjax.errors import ConfigError

# The packaged configs lie beside the package, in a checkout as in an installation. They are found
# there whatever else is called `configs` where a command is typed.
FOLDER = Path(__file__).parents[2] / "configs"


def names() -> list[str]:
    """Bare names of the packaged configs."""
    modules = pkgutil.iter_modules([str(FOLDER)])
    return sorted(m.name for m in modules if m.name != "common")


def about(name: str) -> str:
    """What the file of a packaged config says of it."""
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")))
    return text or ""


def load(name_or_path: str) -> ConfigDict:
    """The locked config of a file (`configs/x.py`) or of a packaged name (`x`).

    Raises ConfigError if there is no such file or name, or what it sets cannot work.
    """
    config = _read(name_or_path)
    check(config)
    return config


def from_arguments(name_or_path: str, rest: list[str]) -> ConfigDict:
    """Load a config and apply what argparse left over: `--config.a.b=c` or `--config.a.b c`."""
    return override_all(_read(name_or_path), rest)


def _read(name_or_path: str) -> ConfigDict:
    """The config of a file or name, unchecked: overrides may still mend it."""
    path = Path(name_or_path).expanduser()
    packaged = path.suffix == "" or path.parent.name == "configs"
    if path.suffix == ".py" and path.is_file():
        name = f"gaitjax_config_{path.stem}"
    elif packaged and path.suffix in ("", ".py") and path.stem in names():
        name, path = f"configs.{path.stem}", FOLDER / f"{path.stem}.py"
    else:
        raise ConfigError(f"no config {name_or_path!r}; {nearest(path.stem, names())}")
    try:
        with _packaged_configs():
            config = _module(name, path).get_config()
            if isinstance(config, ConfigDict):
                import_network(config, path.parent)
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"config {name_or_path}: {error}") from error
    if not isinstance(config, ConfigDict):
        raise ConfigError(f"config {name_or_path}: get_config gave {type(config).__name__}")
    return config.lock()


def import_network(config: ConfigDict, folder: str | Path = ".") -> None:
    """Import the module of an own network, if `config.model.name` is module:Class.

    Found in `folder`, beside the config file, or wherever Python finds modules. This runs its
    code: for configs that the user gave, never for one stored with weights.

    Raises ConfigError if there is no such module.
    """
    module, colon, _ = str(config.model.get("name", "")).partition(":")
    if not colon or module in sys.modules:
        return
    sys.path.insert(0, str(Path(folder).absolute()))
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ConfigError(
            f"config.model.name={config.model.name}: no module {module!r} beside the config file "
            "nor in the current folder"
        ) from None
    finally:
        sys.path.pop(0)


@contextlib.contextmanager
def _packaged_configs() -> Iterator[None]:
    """Inside, `import configs` gives the packaged ones; another package of that name comes back."""
    ours = {k: m for k, m in sys.modules.items() if _is_configs(k)}
    foreign = getattr(ours.get("configs"), "__file__", None) != str(FOLDER / "__init__.py")
    if foreign:
        for key in ours:
            del sys.modules[key]
        _module("configs", FOLDER / "__init__.py", [str(FOLDER)])
    try:
        yield
    finally:
        if foreign and ours:
            for key in [key for key in sys.modules if _is_configs(key)]:
                del sys.modules[key]
            sys.modules.update(ours)


def _is_configs(module: str) -> bool:
    return module.partition(".")[0] == "configs"


def _module(name: str, path: Path, inside: list[str] | None = None):
    """The module of a file, run anew, under a name in `sys.modules`."""
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    assert spec and spec.loader, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def stored(values: dict, source: str = "") -> ConfigDict:
    """The config that was stored as JSON with weights or a run; fields since then get defaults.

    Raises ConfigError, which names the `source`, for a field that does not exist, or a value
    that it cannot hold.
    """
    config = base()
    try:
        # Types are `check`'s to tell: it names the field.
        with config.unlocked(), config.ignore_type():
            for name, value in _tuples(values).items():
                if name in ("model", "loss"):
                    config[name] = ConfigDict(value)
                elif isinstance(value, dict) and isinstance(config.get(name), ConfigDict):
                    config[name] = ConfigDict({**config[name].to_dict(), **value})
                else:
                    config[name] = value
        check(config)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}" if source else str(error)) from None
    except Exception as error:  # whatever values of the wrong kind provoke
        reason = f"{type(error).__name__}: {error}"[:200]
        raise ConfigError(
            f"{source or 'the stored config'}: holds what no config can hold ({reason}); take the "
            "file from where it was written, or give the config by its name"
        ) from error
    return config


def _tuples(value):
    """JSON lists as the tuples that configs hold."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def override_all(config: ConfigDict, arguments: list[str]) -> ConfigDict:
    """Apply `--config.a.b=c` or `--config.a.b c` arguments to `config`; check and return it."""
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("--config."):
            raise ConfigError(
                f"unknown argument {argument!r}; config fields are --config.KEY=VALUE"
            )
        key, equals, text = argument[len("--config.") :].partition("=")
        if not equals:
            if not rest:
                raise ConfigError(f"{argument} needs a value")
            text = rest.pop(0)
        override(config, key, text)
    import_network(config)
    check(config)
    return config


def override(config: ConfigDict, key: str, text: str) -> None:
    """Set the dotted `key` from command-line `text`.

    Raises ConfigError for an unknown key, naming the nearest ones, or a value of another type.
    """
    node, parts = config, key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(node, ConfigDict) or part not in node:
            where = ".".join(parts[:depth])
            known = list(node) if isinstance(node, ConfigDict) else []
            prefix = f"{where}." if where else ""
            hint = nearest(part, known) if known else f"{where} has no fields"
            raise ConfigError(f"unknown config key {prefix}{part!r}: {hint}")
        if depth < len(parts) - 1:
            node = node[part]
    current = node[parts[-1]]
    if isinstance(current, ConfigDict):
        raise ConfigError(f"--config.{key} is a section; set one of: {', '.join(current)}")
    node[parts[-1]] = _parse(text, current, key)


def _parse(text: str, current: object, key: str):
    """`text` as a value of the type of the field at `key`, which holds `current`."""
    field = field_at(key)
    kind = type(current)
    if current is None:  # open unless told: `check` knows what may stand there
        with contextlib.suppress(ValueError, SyntaxError):
            return ast.literal_eval(text)
        return text
    try:
        if kind is str:
            return text
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind is int:
            value = float(text)
            if not value.is_integer():
                raise ValueError
            return int(text) if text.lstrip("+-").isdigit() else int(value)
        if kind is float:
            return float(text)
        if kind is tuple:
            return _parse_tuple(text, field.kind if field else None)
        return ast.literal_eval(text)
    except (ValueError, KeyError, SyntaxError, TypeError):
        how = "as in a,b" if kind is tuple else f"as in {current!r}"
        raise ConfigError(f"--config.{key}={text}: expected {kind.__name__}, {how}") from None


def _parse_tuple(text: str, kind: type | None) -> tuple:
    """`a,b`, `a,`, `(1, 2)` or `["a", "b"]`; bare words stay as written among texts."""
    if text[:1] in ("(", "["):
        found = ast.literal_eval(text)
        return tuple(found) if isinstance(found, tuple | list) else (found,)
    text = text.strip().removesuffix(",")
    if not text:
        return ()
    if kind is str:  # 00 is the name of a type, not the number 0
        return tuple(text.split(","))
    return tuple(ast.literal_eval(f"({text},)"))


def parser(description: str, example: str, config_required: bool = True) -> argparse.ArgumentParser:
    """Argument parser with the `--config` flag that every command shares."""
    result = command.parser(description, example)
    result.add_argument("--config", required=config_required, help="config file, or its bare name")
    return result
