"""`python -m medaudit`, and the command `medaudit`."""

import gc
import sys

from medaudit.process import EXIT_INTERRUPTED, INTERRUPTED, one_interruption, open_streams, say

MANY_OBJECTS = 100_000
"""New objects after which rings among them are looked for: by the usual 700 a twelfth of a small scan finds none."""


def run() -> int:
    """The command from its first line on: interrupted while it loads, it is as quiet as later."""
    open_streams()
    gc.set_threshold(MANY_OBJECTS)
    try:
        with one_interruption(to_the_end=True):
            from medaudit.cli import main

            return main()
    except KeyboardInterrupt:
        say(INTERRUPTED)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
