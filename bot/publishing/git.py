"""Publications as commits, where the knowledge lies in a git repository: of its YAML files, and of nothing else."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.errors import LvlinError

_YAML = ":(glob)**/*.yaml"
_EMAIL = "knowledge@lvlin.invalid"
_PATIENCE_SECONDS = 60
_OF_A_CALLER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""What a hook of another repository that called us would have set."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The part of a git repository that a knowledge folder is."""

    folder: Path

    def commit(self, message: str, author: str) -> str:
        """Commit the folder's YAML files as they are now, if they differ from the last commit; the id of the commit
        that holds them. What else is staged or changed stays so. Raises LvlinError where git refuses."""
        self._git("add", "--all", "--", _YAML)
        if self._git("diff", "--cached", "--name-only", "--", _YAML):
            self._git("commit", "--quiet", "--only", "--message", message, "--", _YAML, author=author)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str, author: str = "") -> str:
        done = _run(self.folder, arguments, author)
        if done.returncode != 0:
            why = " ".join((done.stderr or done.stdout).split())
            raise LvlinError(f"git {arguments[0]} refuses: {why} — see to the repository, then publish again")
        return done.stdout.strip()


def repository_of(folder: Path) -> Repository | None:
    """The repository a folder lies in; None where it lies in none, or is not kept in it, or there is no git.

    Raises LvlinError where there is one that git does not let us use.
    """
    try:
        top = _run(folder, ("rev-parse", "--show-toplevel"))
    except FileNotFoundError:
        return None
    if top.returncode != 0:
        if "not a git repository" in top.stderr:
            return None
        why = " ".join(top.stderr.split())
        raise LvlinError(f"git does not let us use the repository of {folder}: {why}")
    itself = Path(top.stdout.strip()).resolve() == folder.resolve()
    tracked = _run(folder, ("ls-files", "--", _YAML)).stdout
    return Repository(folder) if itself or tracked else None


def _run(folder: Path, arguments: tuple[str, ...], author: str = "") -> subprocess.CompletedProcess[str]:
    named = {"GIT_AUTHOR_NAME": author, "GIT_COMMITTER_NAME": author} if author else {}
    mailed = {"GIT_AUTHOR_EMAIL": _EMAIL, "GIT_COMMITTER_EMAIL": _EMAIL} if author else {}
    inherited = {key: value for key, value in os.environ.items() if key not in _OF_A_CALLER}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env={**inherited, "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0", **named, **mailed},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise LvlinError(f"git {arguments[0]} took longer than {_PATIENCE_SECONDS} s — see to the repository") from exc
