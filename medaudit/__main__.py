"""`python -m medaudit`, and the command `medaudit`."""

import os
import sys

try:
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
