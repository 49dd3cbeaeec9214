"""The errors of this package: each says what was found, what was expected and how to mend it.

Every command prints them as one line (`gaitjax.command.run`); any other exception is a fault of
ours and keeps its traceback.
"""


class GaitjaxError(ValueError):
    """Something given to us cannot be used. The message names it and says how to mend it."""


class ConfigError(GaitjaxError):
    """A config that does not exist, an unknown key, or a value that cannot be."""


class DataError(GaitjaxError):
    """A file, folder or setting is unusable."""


class WeightsError(GaitjaxError):
    """Weights that cannot be read or do not fit the network."""


class DamagedError(WeightsError):
    """Weights or a checkpoint that are not what was written: cut short, or a bit is wrong."""


class TrainingError(GaitjaxError):
    """Training cannot go on: another config's work directory, or a loss that is not finite."""
