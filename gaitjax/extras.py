"""Optional packages: imported where used, with the line that installs them in the error."""

import importlib
from types import ModuleType

from gaitjax.errors import DataError


def optional(module: str, extra: str, purpose: str) -> ModuleType:
    """The imported `module`; DataError if it or a part of it is missing.

    Args:
      extra: of gaitjax, that brings it.
      purpose: what it does for us: "... <purpose>".

    >>> optional("json", "convert", "reads checkpoint files").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(
            f"{error.name or module} is not installed, and {module.partition('.')[0]} {purpose}: "
            f"pip install 'gaitjax[{extra}]'"
        ) from error
