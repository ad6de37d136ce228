"""`python -m medaudit`, and the command `medaudit`."""

import os
import sys


def leave_working_folder() -> None:
    """Take the working folder out of the places where modules are looked for, here and in every process that we start.

    `python -m` puts it first, and an empty part of PYTHONPATH anywhere: a `numpy.py` in the data set that the user stands in
    would run as the user. It stays where PYTHONPATH names it in full, and where medaudit itself lies there. What Python loads
    before this line only `python -P -m medaudit` or the command `medaudit` keep from it.
    """
    try:
        here, home = os.getcwd(), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH109, PTH120, PTH100
    except OSError:  # it was removed
        here, home = "", "?"
    asked = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if os.path.realpath(here) != os.path.realpath(home):
        sys.path[:] = [place for place in sys.path if place not in ("", here) or (place in asked and place)]
    if asked != [""]:
        full = [place for place in map(os.path.abspath, filter(None, asked)) if place != here or place in asked]
        os.environ["PYTHONPATH"] = os.pathsep.join(full)
    os.environ["PYTHONSAFEPATH"] = "1"


try:
    leave_working_folder()
    import gc  # not there yet, as the two above are

    from medaudit.process import EXIT_INTERRUPTED, INTERRUPTED, exit_code_of, leave, one_interruption, open_streams, say
except KeyboardInterrupt:  # as quiet as later; in the few milliseconds before this line the answer is Python's own
    os.write(2, b"interrupted; nothing was written\n")
    os._exit(130)

MANY_OBJECTS = 300_000
"""New objects after which rings among them are looked for: loading the program makes 230,000 that stay, and by the usual 700 a
twelfth of a small scan goes into finding none."""


def run() -> int:
    """The command from its first line on: interrupted while it loads, it is as quiet as later."""
    gc.set_threshold(MANY_OBJECTS)
    try:
        with one_interruption(to_the_end=True):
            open_streams()
            from medaudit.cli import main

            code = main()
    except KeyboardInterrupt:
        say(INTERRUPTED)
        code = EXIT_INTERRUPTED
    gc.freeze()  # the interpreter looks for rings at its end, among all that a program ever loaded: for nobody
    return leave(exit_code_of(code))


if __name__ == "__main__":
    sys.exit(run())
