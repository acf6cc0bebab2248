"""`python -m benchmarks [NAME …]`: the benchmarks, and one table of what they found.

`perturbation` also takes a file of questions: see `python -m benchmarks perturbation --help`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sqlite3
import sys

from benchmarks import perturbation
from benchmarks.table import Row

NAMES = ("matching", "parts", "http", "cold", "jsonl", "reload", "publish", "crash", "perturbation")
"""Every benchmark: a module here with a `run() -> list[Row]`."""


def main() -> None:
    """Run what was asked for, or all, and print the rows as they come."""
    if sys.argv[1:2] == ["perturbation"] and sys.argv[2:]:
        perturbation.main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; default: all")
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))} — use {', '.join(NAMES)}")
    print(_machine())
    missed = 0
    for name in names:
        rows: list[Row] = importlib.import_module(f"benchmarks.{name}").run()
        for row in rows:
            print(row.line(name), flush=True)
        missed += sum(not row.met for row in rows)
    print(f"{missed} missed")


def _machine() -> str:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{cores} cores, load {load} before the start, {versions}"


if __name__ == "__main__":
    main()
