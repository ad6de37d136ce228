"""The command line: its commands by name, and an honest exit code whatever happens. Nothing heavy is imported early."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated, Any

import typer

from medaudit import __version__
from medaudit.commands import auditing, correcting, curating
from medaudit.examples import closing
from medaudit.plain_values import read_plainly
from medaudit.process import EXIT_INTERRUPTED, INTERRUPTED, LAUNCHED, one_interruption, open_streams, say

# Newer releases of Typer carry a Click of their own, so the base of all usage errors is asked of Typer, not of click.
UsageMistake: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
EXIT_USAGE, EXIT_BROKEN = 2, 3

app = typer.Typer(
    name="medaudit",
    help="Audit medical-imaging datasets before they are released or trained on, correct them, and prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

FULL_OR_CLOSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""What the system says where there is no room, or no right to write."""


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"medaudit {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Audit medical-imaging datasets before they are released or trained on, correct them, and prove it."""


# in the order of `medaudit --help`
COMMANDS = (
    ("scan", auditing.scan),
    ("rules", auditing.rules),
    ("explain", auditing.explain),
    ("diff", auditing.diff),
    ("compare", auditing.compare),
    ("report", auditing.report),
    ("review", auditing.review),
    ("init", auditing.init),
    ("demo", auditing.demo),
    ("fix", correcting.fix),
    ("undo", correcting.undo),
    ("strategies", correcting.strategies),
    ("predict", correcting.foretell),
    ("consensus", curating.decide),
    ("split", curating.divide),
    ("fingerprint", curating.fingerprint),
    ("unpack", curating.unpack),
    ("degrade", curating.worsen),
    ("score", curating.score),
)
for name, command in COMMANDS:
    app.command(name, epilog=closing(name))(command)


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Of several processes (torchrun) the first does what is asked; the others train along, and say nothing."""
    open_streams()
    if LAUNCHED not in os.environ:
        with one_interruption():
            return alone(arguments)
    from trainers.engine.crew import follow, follower, leading
    from trainers.engine.loop import train

    if not follower():
        with leading():
            return alone(arguments)
    try:
        follow(train)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def alone(arguments: list[str] | None) -> int:
    """One process. Typer would exit 1 for an uncaught exception, which a gate reads as findings: here it is 3."""
    try:
        from medaudit._rooms import require_own_rooms

        require_own_rooms()
        code = read_plainly(typer.main.get_command(app)).main(args=arguments, prog_name="medaudit", standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # Typer turns Ctrl-C into this code, and says nothing
            say(INTERRUPTED)
        return code if isinstance(code, int) else 0
    except UsageMistake as error:
        with suppress(OSError, ValueError):
            error.show()
        return EXIT_USAGE
    except (typer.Abort, KeyboardInterrupt):
        say(INTERRUPTED)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of the output went away (`| head`); the verdict is lost, so the audit counts as incomplete.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN
    except Exception as error:  # noqa: BLE001 - the last line of defence: an honest exit code
        return explain_failure(error)


def explain_failure(error: Exception) -> int:
    """One line for what the user can mend (exit 2); type and place, never values, for a fault of ours (exit 3)."""
    from auditor.values.errors import MedauditError

    if isinstance(error, MedauditError):
        from auditor.values.cells import visible
        from auditor.values.ordinary import shown_error

        # one line, whatever names of files are in it
        say(f"medaudit: {visible(shown_error(str(error)))}")
        return EXIT_USAGE
    if isinstance(error, OSError) and error.errno in FULL_OR_CLOSED:
        # where we write, not what we read: files that cannot be read are findings, and never come this far
        say(f"medaudit: cannot write: {os.strerror(error.errno)}; free room, or name another place")
        return EXIT_USAGE
    if isinstance(error, ImportError) and "medaudit needs its own package" in str(error):
        say(f"medaudit: {error}")
        return EXIT_BROKEN
    say("medaudit: internal error; please report it with these lines (they hold no data):")
    say("".join(traceback.format_tb(error.__traceback__)[-6:]) + type(error).__name__)
    return EXIT_BROKEN
