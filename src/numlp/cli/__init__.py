"""The command line: `numlp`, one file for each command."""

import io
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from numlp.errors import NumlpError
from numlp.settings.checks import missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 also stands for a training run that Ctrl-C ended early and that was saved; 2 for an error, explained in one
    line; 130 for any other Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show "×" should show the rest
    try:
        from numlp.cli.app import app, exceptions
    except ModuleNotFoundError as error:
        return _fail(str(missing(str(error.name), "the command line", "app")))
    except KeyboardInterrupt:
        return _interrupted()
    with warnings.catch_warnings():
        warnings.showwarning = _note
        return _run(app, exceptions, arguments)


def _run(app: Any, exceptions: Any, arguments: Sequence[str] | None) -> int:
    try:
        code = app(list(sys.argv[1:] if arguments is None else arguments), standalone_mode=False)
    except (NumlpError, exceptions.TyperException) as error:
        return _fail(error.format_message() if isinstance(error, exceptions.TyperException) else str(error))
    except (KeyboardInterrupt, exceptions.Abort):
        return _interrupted()
    except BrokenPipeError:
        # The reader of our output, such as `head`, has closed the pipe: drop what is still buffered.
        sys.stdout = None
        return 0
    except MemoryError as error:
        return _fail(f"not enough memory: {error}")
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    if code == 130:  # what typer makes of Ctrl-C
        return _interrupted()
    return code if isinstance(code, int) else 0


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as a note: where the code warned is nothing to users of the command line."""
    print("numlp: note: " + " ".join(str(message).split()), file=sys.stderr)  # noqa: T201


def _interrupted() -> int:
    print("numlp: interrupted", file=sys.stderr)  # noqa: T201
    return 130


def _fail(message: str) -> int:
    if message:  # empty where the help was shown instead
        print("numlp: error: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201
    return 2
