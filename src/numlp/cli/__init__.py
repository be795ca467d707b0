"""The command line: `numlp`, one file for each command."""

import io
import sys
from collections.abc import Sequence

from numlp.errors import NumlpError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 for wrong input with one line that says what, 130 for Ctrl-C."""
    try:
        from numlp.cli.app import app, exceptions
    except ModuleNotFoundError as error:
        return _fail(f"the command line needs {error.name}: pip install 'numlp[app]'")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show "×" should show the rest
    try:
        code = app(list(sys.argv[1:] if arguments is None else arguments), standalone_mode=False)
    except (NumlpError, exceptions.TyperException) as error:
        return _fail(error.format_message() if isinstance(error, exceptions.TyperException) else str(error))
    except (KeyboardInterrupt, exceptions.Abort):
        print("numlp: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough; what is still buffered has nowhere to go.
        sys.stdout = None
        return 0
    except MemoryError as error:
        return _fail(f"there is not enough memory: {error}")
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    print("numlp: error: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201
    return 2
