"""Every error of ours.

LvlinError
├── FaultyFile        config.yaml or the knowledge has faults: all of them, each with its line
├── WrongUsage        the command line was used wrongly
├── Refused           a request is not accepted: its HTTP status and, for the log only, why
├── StoreError
│   ├── StoreUnavailable   nothing can be committed at the moment
│   ├── StoreInUse         another server works with the database
│   └── NewerSchema        the database was written by a newer version
└── NotThere          what was asked for does not exist
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where, what was found, and how to mend it."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what} ({self.file}:{self.line}) — {self.mend}"


class LvlinError(Exception):
    """The root of all errors of ours."""


class FaultyFile(LvlinError):
    """A file has faults; `faults` holds all of them, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class WrongUsage(LvlinError):
    """The command line was used wrongly; the message says what would be right."""


class Refused(LvlinError):
    """A request that is not accepted.

    `status` is the HTTP status that goes out; `why` is for the log only and holds no secret and no resident's text.
    """

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(f"{status}: {why}")


class StoreError(LvlinError):
    """Storage failed."""


class StoreUnavailable(StoreError):
    """Nothing can be committed now (disk full, locked, stopped): nothing was kept, nothing may be acknowledged."""


class StoreInUse(StoreError):
    """Another server works with the database: a second one would write past it."""


class NewerSchema(StoreError):
    """The database was written by a newer version of the program."""


class NotThere(LvlinError):
    """What was asked for does not exist."""
