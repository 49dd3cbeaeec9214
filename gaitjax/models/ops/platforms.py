"""Which of an operation's forms a program gets: that of the platform it is compiled for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jax import lax

_ONLY_PLAIN = ContextVar("_ONLY_PLAIN", default=False)


@contextmanager
def only_plain() -> Iterator[None]:
    """What is traced inside has the plain forms alone, for compilers that know no platforms."""
    token = _ONLY_PLAIN.set(True)
    try:
        yield
    finally:
        _ONLY_PLAIN.reset(token)


def plain_alone() -> bool:
    """Whether this is traced inside `only_plain`."""
    return _ONLY_PLAIN.get()


def by_platform(plain: Callable, *arrays: Any, **forms: Callable) -> Any:
    """plain(*arrays), or on the platforms "cpu", "cuda" or "tpu" that `forms` name another form."""
    if plain_alone():
        return plain(*arrays)
    return lax.platform_dependent(*arrays, **forms, default=plain)
