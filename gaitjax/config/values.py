"""Kinds of config values: what a field holds unless told otherwise, and what else it may hold."""

import difflib
import importlib
import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field of a config.

    Attributes:
      default: its value unless a config says otherwise; the type of all its values.
      problem: (value of the right type) -> what is wrong with it, "" for nothing.
      kind: type of the value, or of its elements where the value is a tuple.
      free: may differ between the runs that share a work directory.
    """

    default: Any
    problem: Callable[[Any], str]
    kind: type
    free: bool = False


def free(field: Field) -> Field:
    """The field as one that runs of the same work directory may set differently."""
    return field._replace(free=True)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown `name`: the known ones like it, or all."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.4)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(sorted(known))}" if known else "nothing is known there"


def flag(default: bool) -> Field:
    return Field(default, lambda value: "", bool)


def text(default: str) -> Field:
    """Any text, such as a path."""
    return Field(default, lambda value: "", str)


def choice(default: str, *others: str) -> Field:
    """One of a few words."""
    return Field(default, lambda value: _one_of(value, (default, *others)), str)


def key_of(table: str, default: str, prefix: str = "", empty: bool = False) -> Field:
    """A key of a table that stands where its values are defined.

    Args:
      table: "module:NAME"; imported when a value is checked, so that configs cost nothing.
      prefix: may stand before the key.
      empty: the empty text is allowed too.
    """
    return Field(
        default,
        lambda value: "" if empty and not value else _one_of(value.removeprefix(prefix), at(table)),
        str,
    )


def keys_of(*tables: str) -> Field:
    """A tuple of keys of these tables, empty unless told otherwise."""

    def problem(values: tuple[str, ...]) -> str:
        known = [key for table in tables for key in at(table)]
        return next(filter(None, (_one_of(value, known) for value in values)), "")

    return Field((), problem, str)


def texts() -> Field:
    """A tuple of any texts, empty unless told otherwise."""
    return Field((), lambda values: "", str)


def number(
    default: float,
    least: float = 0,
    most: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> Field:
    """An int or a float, as the default is, between these bounds."""
    kind = type(default)
    low = f"above {above:g}" if above >= least else f"from {least:g}"
    high = f" to {most:g}" if most < math.inf else ""
    high = f", below {below:g}" if below < math.inf else high
    expected = f"expected a {'whole ' if kind is int else ''}number {low}{high}"

    def problem(value) -> str:
        fits = math.isfinite(value) and least <= value <= most and above < value < below
        return "" if fits else expected

    return Field(default, problem, kind)


def numbers(default: tuple[float, ...], kind: type, length: int | None = None) -> Field:
    """A tuple of numbers from 0, of any length unless it is told."""

    def problem(values: tuple[float, ...]) -> str:
        if length is not None and len(values) != length:
            return f"expected {length} numbers"
        fits = all(math.isfinite(value) and value >= 0 for value in values)
        return "" if fits else "expected numbers from 0"

    return Field(default, problem, kind)


def probability(default: float) -> Field:
    return number(default, most=1)


def at(place: str):
    """What stands at "module:NAME"."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def is_a(value: object, kind: type) -> bool:
    """Whether the value is of the type, a whole number being a float too and a flag no number."""
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    return isinstance(value, kind)


def _one_of(value: str, known: Iterable[str]) -> str:
    if value in known:
        return ""
    hint, known = nearest(value, known), list(known)
    few = hint.startswith("did") and len(known) <= 6
    return f"{hint} Allowed: {', '.join(known)}" if few else hint
