"""The command line: verbs, and what becomes of their errors.

Nothing heavy is imported here: `ganwright --help` and a mistyped flag answer before torch could be loaded.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, get_args

from cyclopts import App, CoercionError, CycloptsError, Parameter, Token, UnknownOptionError, convert

import ganwright
from ganwright.cli.classic import classic
from ganwright.cli.compare import compare
from ganwright.cli.demo import demo
from ganwright.cli.doctor import doctor
from ganwright.cli.elsewhere import here
from ganwright.cli.evaluate import evaluate
from ganwright.cli.import_ import import_keras_file
from ganwright.cli.inspect import inspect
from ganwright.cli.interpolate import interpolate
from ganwright.cli.output import Output
from ganwright.cli.pack import pack
from ganwright.cli.preview import preview
from ganwright.cli.processes import remember
from ganwright.cli.resume import resume
from ganwright.cli.runs import runs, show
from ganwright.cli.sample import sample
from ganwright.cli.train import train
from ganwright.core.errors import DataError, GanwrightError, ResourceError, UsageError

VERBS = {
    "train": train,
    "preview": preview,
    "pack": pack,
    "resume": resume,
    "runs": runs,
    "show": show,
    "sample": sample,
    "interpolate": interpolate,
    "evaluate": evaluate,
    "compare": compare,
    "inspect": inspect,
    "import": import_keras_file,
    "demo": demo,
    "doctor": doctor,
    "classic": classic,
}

PROLOGUE = """\
Ganwright trains generative adversarial networks: a folder of pictures in, new pictures out.

Examples:
  ganwright demo                                 hand-written digits in a minute, no data needed
  ganwright train photos/                        ten minutes on your pictures
  ganwright preview photos/                      what the networks will see of them
  ganwright train photos/ --time 2h              longer is better
  ganwright resume                               go on where the last run was stopped
  ganwright runs                                 what was trained here, and how it stands
  ganwright sample last -n 100 --seed 7 -o out/  new pictures from the last run
  ganwright evaluate last                        does it look real, cover the data, copy it?
  ganwright inspect last                         what a model file holds

Verbs (`ganwright VERB --help` explains one):
"""

EPILOGUE = """\
Exit codes: 0 done, 1 a bug in Ganwright, 2 usage, 3 data or path, 4 model file, 5 disk, memory or device, 6 diverged,
75 told to end (saved), 130 Ctrl-C.
"""

INTERRUPTED = 130
REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
"""What the system says of a path that a user gave: it may not be written, or something else lies there."""
UNHEARD = 120
"""As Python itself leaves when the last of its output cannot be written."""


def build_app() -> App:
    """The verbs with their flags, from the signatures and docstrings of their functions."""
    # Errors are told by `run`, never by cyclopts: without a console of its own it need not import rich to be silent.
    nowhere: Any = object()
    settings: dict[str, Any] = {"help_format": "plaintext", "help_epilogue": EPILOGUE, "version": ganwright.__version__}
    app = App(name="ganwright", error_console=nowhere, default_parameter=Parameter(converter=_converted), **settings)
    for name, verb in VERBS.items():
        app.command(verb, name=name)
    return app


def _converted(kind: Any, words: Sequence[Token]) -> Any:
    """The words of a flag as what its annotation says; cyclopts would round 1.5 to a whole number."""
    if int in (kind, *get_args(kind)):
        for word in words:
            if "." in word.value:
                raise CoercionError(token=word, target_type=int)
    return convert(kind, words)


def root_help() -> str:
    """What `ganwright --help` says: examples first, then the verbs with the first line of their docstrings."""
    wide = max(map(len, VERBS)) + 2
    lines = [f"  {name:{wide}}{(verb.__doc__ or '').splitlines()[0]}" for name, verb in VERBS.items()]
    return PROLOGUE + "\n".join(lines) + "\n\n" + EPILOGUE


def main() -> None:
    """Run the command line and leave with its exit code, without the third of a second in which torch is taken down."""
    code = run(sys.argv[1:])
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # whoever read it has gone, or it is closed already
            code = code or UNHEARD
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of one command line. User's mistakes are told in a few lines, bugs leave a traceback in a file."""
    output = Output(json="--json" in arguments)
    remember(arguments)
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        output.line(root_help().rstrip())
        return 0
    try:
        result = build_app()(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        return output.error(_usage_error(error))
    except GanwrightError as error:
        return output.error(error)
    except KeyboardInterrupt:
        output.line("stopped; nothing was left half done", problem=True)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, as `| head` does
        return 0
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except Exception as error:
        return _unexpected(error, output, debug="--debug" in arguments)


def _usage_error(error: CycloptsError) -> UsageError:
    text = str(error).strip().replace("\n", " ")
    verb = " ".join(error.command_chain or ())
    if isinstance(error, UnknownOptionError):
        flag = error.token.keyword or error.token.value
        if known := here(verb, flag):
            return UsageError("E-USAGE-01", f"there is no {flag}", hints=(known, f"ganwright {verb} --help"))
    return UsageError("E-USAGE-01", text, hints=(f"ganwright {verb} --help" if verb else "ganwright --help",))


def _unexpected(error: Exception, output: Output, debug: bool) -> int:
    """Tell of an error that is none of ours: a resource that ran out, or else a bug, whose traceback goes to a file."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space, or another --run or -o folder"
        return output.error(ResourceError("E-DISK-01", "the disk is full", where=str(error.filename or ""), hints=(hint,)))
    if isinstance(error, OSError) and error.errno in REFUSALS and error.filename and not debug:
        hints = ("another folder, or the right to use this one", "--debug says where in Ganwright")
        return output.error(DataError("E-PATH-03", f"cannot use {error.filename}", why=error.strerror or "", hints=hints))
    from ganwright.runtime.memory import is_out_of_memory

    if is_out_of_memory(error):
        return output.error(ResourceError("E-MEMORY-01", "out of memory", hints=("a smaller --batch or --size",)))
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile("w", prefix="ganwright-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(trace)
    if debug:
        output.line(trace, problem=True)
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return output.error(
        GanwrightError("E-BUG", "this is a bug in Ganwright, not your mistake", where=file.name, why=summary)
    )
