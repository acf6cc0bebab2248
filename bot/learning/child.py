"""A lesson checked in a child process: the gate takes tens of seconds, and a running server answers meanwhile.

The child is this module, run as a program; it ends with us, and Ctrl-C at the terminal is not its business.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from datetime import date
from pathlib import Path

from bot.errors import FaultyFile, LvlinError
from bot.learning.lessons import CannotTeach
from bot.learning.teach import Checked, Draft, EditedMeanwhile
from bot.records import Lesson, Unanswered
from bot.settings import Settings

_PROGRAM = Path(__file__).parents[2]  # whence the child imports us, wherever we were started


class CheckerFailed(LvlinError):
    """The child that checks a lesson came to a bad end; what it said stands on standard error."""


async def checked_apart(settings: Settings, lesson: Lesson, cluster: Unanswered, day: date) -> Checked:
    """The lesson after the gate. Raises CannotTeach, EditedMeanwhile, FaultyFile, CheckerFailed."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_PROGRAM,
        start_new_session=True,
    )
    try:
        told, _ = await child.communicate(pickle.dumps((settings, lesson, cluster, day)))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise CheckerFailed(f"the lesson cannot be checked: the checker ended with {child.returncode}")
    found = pickle.loads(told)
    if isinstance(found, Checked):
        return found
    kind, values = found
    raise kind(*values)


def checked(settings: Settings, lesson: Lesson, cluster: Unanswered, day: date) -> Checked:
    """The lesson after the gate, here and now. Raises as `checked_apart` does."""
    with Draft(settings, day) as draft:
        return draft.check(draft.preview(lesson, cluster), lambda what, done, of: None)


def _told() -> None:
    """In the child: read a request from standard input, write what came of it to standard output."""
    os.nice(10)
    logging.disable(logging.WARNING)  # what is warned of while frozen questions are asked is no news
    request = pickle.loads(sys.stdin.buffer.read())
    try:
        found: object = checked(*request)
    except CannotTeach as exc:
        found = CannotTeach, (str(exc), exc.told)
    except FaultyFile as exc:
        found = FaultyFile, (exc.faults,)
    except EditedMeanwhile as exc:
        found = EditedMeanwhile, (str(exc),)
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    _told()
