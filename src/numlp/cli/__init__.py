"""The command line: `numlp`, one file for each command."""

import io
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from numlp.cli.termination import Termination
from numlp.errors import NumlpError, NumlpWarning
from numlp.parallel.launch import code_of, end_all, launched, reason_of
from numlp.settings.checks import missing
from numlp.settings.texts import as_options, visible

_INTERRUPTED = 128  # plus the signal's number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 stands for success; 2 for an error, explained in one line; 130 for Ctrl-C and 143 for SIGTERM, also where what
    was trained until then is saved.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show "×" should show the rest
    given = list(sys.argv[1:] if arguments is None else arguments)
    launch = launched()
    if launch is None:
        return _command(given)
    try:
        from numlp.cli.ranks import as_rank
    except BaseException as error:  # the others would wait for this rank for ever
        end_all(launch, reason_of(error), code_of(error))
    return as_rank(launch, given, lambda: _command(given))


def _command(arguments: list[str]) -> int:
    with Termination() as termination, warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)  # NumlpWarning, and notes
        warnings.showwarning = _warner()
        try:
            code = _run(arguments)
        except KeyboardInterrupt:
            code = _INTERRUPTED + termination.number
        if code == _INTERRUPTED + 2:  # also what typer makes of a KeyboardInterrupt
            code = _INTERRUPTED + termination.number
    if code > _INTERRUPTED:
        print("numlp: " + ("interrupted" if code == _INTERRUPTED + 2 else "terminated"), file=sys.stderr)  # noqa: T201
    return code


def _run(arguments: list[str]) -> int:
    try:
        from numlp.cli.app import app, exceptions
    except ModuleNotFoundError as error:
        return _fail(str(missing(str(error.name), "the command line", "app")))
    try:
        code = app(arguments, standalone_mode=False)
    except (NumlpError, exceptions.TyperException) as error:
        return _fail(_said(error, arguments))
    except exceptions.Abort as error:
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        # The reader of our output, such as `head`, has closed the pipe: drop what is still buffered.
        sys.stdout = None
        return 0
    except MemoryError as error:
        return _fail(f"not enough memory: {error}")
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    return code if isinstance(code, int) else 0


def _said(error: Exception, arguments: list[str]) -> str:
    from numlp.cli.app import exceptions, said

    return said(error, arguments) if isinstance(error, exceptions.TyperException) else str(error)


def _warner() -> Any:
    """Return a function in place of `warnings.showwarning`, which says everything in one line, and once.

    Where the code warned is nothing to users of the command line.
    """
    said = set()

    def warn(message: Warning | str, *_: object) -> None:
        kind = "warning" if isinstance(message, NumlpWarning) else "note"
        line = f"numlp: {kind}: " + visible(" ".join(as_options(str(message)).split()))
        if line not in said:
            said.add(line)
            print(line, file=sys.stderr)  # noqa: T201

    return warn


def _fail(message: str) -> int:
    if message:  # empty where the help was shown instead
        print("numlp: error: " + visible(" ".join(as_options(message).split())), file=sys.stderr)  # noqa: T201
    return 2
