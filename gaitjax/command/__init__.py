"""What every command shares: its parser, and one line instead of a traceback."""

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gaitjax import files
from gaitjax.errors import GaitjaxError

INTERRUPTED, BROKEN_PIPE = 128 + 2, 128 + 13  # exit status, as after these signals


def run(
    main: Callable[[list[str]], int | None],
    argv: list[str] | None = None,
    interrupted: str = "interrupted",
) -> int:
    """Calls `main` with the arguments and returns the exit status.

    Our errors, those of the file system, Ctrl-C and want of memory end in one line on stderr;
    anything else is a fault of ours and keeps its traceback. `--debug` shows it for all.

    Args:
      main: takes the arguments; returns the exit status, None for 0.
      argv: None: those of the process.
      interrupted: what to say after Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    debug = "--debug" in argv
    try:
        return main([argument for argument in argv if argument != "--debug"]) or 0
    except BrokenPipeError:
        # The reader of our output has ended (`| head`); nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        line, status = f"\n{interrupted}", INTERRUPTED
        trace = traceback.format_exc()
    except Exception as error:
        reason = explanation(error)
        if reason is None:
            raise
        line, status = f"error: {reason}", 1
        trace = traceback.format_exc()
    print(f"{trace}\n{line}" if debug else line, file=sys.stderr)
    return status


def explanation(error: BaseException) -> str | None:
    """What to tell the user of `error`; None where it is a fault of ours."""
    if isinstance(error, GaitjaxError):
        return str(error)
    for cause in _chain(error):
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return _of_system(cause)
        # Tensorstore and XLA tell it in a text alone.
        if "No space left on device" in str(cause):
            return "no space left on the disk; free some, then run the same command again"
        if isinstance(cause, MemoryError) or "RESOURCE_EXHAUSTED" in str(cause):
            what = str(cause).partition("\n")[0][:200]
            return (
                f"out of memory ({what or 'of the host'}); give smaller batches "
                "(train.batch_size, eval.batch_size), or a machine with more"
            )
    return _of_system(error) if isinstance(error, OSError) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_ADVICE = {
    errno.ENOSPC: "free some, then run the same command again",
    errno.EACCES: "ask its owner for the right to it, or name another place",
    errno.EPERM: "ask its owner for the right to it, or name another place",
    errno.EROFS: "name another place",
    errno.ENOENT: "check the path",
    errno.EMFILE: "raise the limit with `ulimit -n 4096`",
}


def _of_system(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    advice = _ADVICE.get(error.errno or 0)
    return f"{name}{error.strerror or error}" + (f"; {advice}" if advice else "")


def parser(description: str, example: str, prog: str | None = None) -> argparse.ArgumentParser:
    """The parser that every command begins with: long options written out, and `--debug`."""
    result = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"example: {example}" if example else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # `run` looks for it itself; here it stands in --help.
    result.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return result


def path(text: str) -> Path:
    """The type of an option that names a file or folder: `~` is the home folder."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path")
    return files.expanded(text)


def respelled(arguments: list[str], spellings: Mapping[str, str]) -> list[str]:
    """`arguments` with options of earlier versions as they are spelt now; each use is said.

    Args:
      spellings: old -> new, as {"--data_root": "--config.data.root"}.

    >>> respelled(["--config.data.root=a", "b"], {"--data_root": "--config.data.root"})
    ['--config.data.root=a', 'b']
    """
    result = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if new := spellings.get(option):
            print(f"note: {option} is now spelt {new}; the old one will go", file=sys.stderr)
            option = new
        result.append(option + equals + value)
    return result
