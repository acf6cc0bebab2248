"""`python -m bot`, the same as `lvlin`."""

import sys

from bot.cli import run

if __name__ == "__main__":
    sys.exit(run())
