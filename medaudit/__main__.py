"""`python -m medaudit`, and the command `medaudit`."""

import sys

from medaudit.process import EXIT_INTERRUPTED, INTERRUPTED, one_interruption, open_streams, say


def run() -> int:
    """The command from its first line on: interrupted while it loads, it is as quiet as later."""
    open_streams()
    try:
        with one_interruption(to_the_end=True):
            from medaudit.cli import main

            return main()
    except KeyboardInterrupt:
        say(INTERRUPTED)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
