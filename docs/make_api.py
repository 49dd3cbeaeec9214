"""Writes docs/api.md, the Python reference, from the docstrings: python docs/make_api.py"""

import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"

# Modules whose `__all__` is what a program may use; the rest may change without notice.
PUBLIC = ("gaitjax", "gaitjax.evaluation", "gaitjax.skeleton", "gaitjax.video")

HEAD = """# Python reference

Made from the docstrings by `python docs/make_api.py`: every name in the `__all__` of its module.
What is not here may change without notice; what is here changes as
[CONTRIBUTING.md](../CONTRIBUTING.md) says.
"""


def entries(module: ModuleType) -> list[str]:
    """Sections of the names in a module's `__all__`, in alphabetical order."""
    sections = []
    for name in sorted(module.__all__, key=str.lower):
        thing = getattr(module, name)
        if isinstance(thing, ModuleType):
            continue  # has a section of its own
        sections.append(section(f"{module.__name__}.{name}", thing))
        if inspect.isclass(thing):
            sections += [
                section(f"{module.__name__}.{name}.{member}", value)
                for member, value in vars(thing).items()
                if not member.startswith("_") and own_docstring(value, thing)
            ]
    return sections


def own_docstring(value, owner: type) -> bool:
    """Whether a member was written with a docstring, unlike those of a record's fields."""
    made_by = getattr(getattr(value, "fget", value), "__module__", None)
    return bool(getattr(value, "__doc__", None)) and made_by == owner.__module__


def section(name: str, thing) -> str:
    """One name as Markdown: signature and docstring."""
    heading = f"### `{name}{signature(thing)}`"
    text = inspect.getdoc(thing) if not isinstance(thing, (str, int, tuple, dict)) else ""
    if not text:
        known = f": {', '.join(f'`{key}`' for key in thing)}" if isinstance(thing, dict) else ""
        return f"{heading}\n\nA {type(thing).__name__}{known}.\n"
    return f"{heading}\n\n```text\n{text}\n```\n"


def signature(thing) -> str:
    """The parameters without their types: shapes and types stand in the docstring."""
    if isinstance(thing, property) or not callable(thing):
        return ""
    parameters = inspect.signature(thing).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name != "self"]
    return re.sub(r" at 0x\w+", "", str(inspect.Signature(plain)))


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in PUBLIC:
        module = importlib.import_module(name)
        parts += [f"## {name}\n", f"{inspect.getdoc(module).splitlines()[0]}\n", *entries(module)]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
