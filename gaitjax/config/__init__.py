"""Configs: every field with what it may hold, packaged files by name, overrides, checks."""

from gaitjax.config.check import check, check_training
from gaitjax.config.fields import base, free_keys
from gaitjax.config.load import (
    about,
    from_arguments,
    load,
    names,
    override,
    override_all,
    parser,
    stored,
)
from gaitjax.config.values import nearest
from gaitjax.errors import ConfigError

__all__ = [
    "ConfigError",
    "about",
    "base",
    "check",
    "check_training",
    "free_keys",
    "from_arguments",
    "load",
    "names",
    "nearest",
    "override",
    "override_all",
    "parser",
    "stored",
]
