"""The error that every part raises for input it cannot use."""


class DataError(ValueError):
    """A file, folder or setting is unusable.

    The message names it, says what was found and what was expected, and how to mend it.
    """
