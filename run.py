"""Starts everything: `python3 run.py` sets up on the first call and opens the playgrounds. See `--help`."""

# These lines must be readable by any Python, however old, so that it can say what is wrong.
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what finds out
    sys.stderr.write(
        "The playgrounds need Python 3.11 or newer, and this is Python %d.%d (%s).\n"  # noqa: UP031
        "Install a newer one (https://www.python.org/downloads/), then run it by name, for example:\n"
        "    python3.12 run.py\n" % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(1)

from tools.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
