"""A publication as a commit: of the folder's YAML files, and of nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bot.errors import LvlinError
from bot.publishing.git import Repository, repository_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=编辑", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *named, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a knowledge folder in it, and no name of its user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    top = tmp_path / "repository"
    (top / "kb" / "items").mkdir(parents=True)
    (top / "kb" / "texts.yaml").write_text("a: 1\n")
    (top / "kb" / "items" / "old.yaml").write_text("b: 1\n")
    (top / "other.txt").write_text("1\n")
    git(tmp_path, "init", "--quiet", str(top))
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "first")
    return top


def repository(folder: Path) -> Repository:
    found = repository_of(folder)
    assert found is not None
    return found


def test_only_the_yaml_files_of_the_folder_are_committed(work_tree: Path) -> None:
    folder = work_tree / "kb"
    (folder / "texts.yaml").write_text("a: 2\n")
    (folder / "items" / "old.yaml").unlink()
    (folder / "items" / "new.yaml").write_text("c: 1\n")
    (folder / "notes.txt").write_text("not ours\n")
    (work_tree / "other.txt").write_text("2\n")
    git(work_tree, "add", "other.txt")
    commit = repository(folder).commit("发布知识库\n\nPublished-by: 张三\n", "张三")
    assert commit == git(work_tree, "rev-parse", "HEAD")
    changed = git(work_tree, "-c", "core.quotePath=off", "show", "--name-status", "--format=%an|%s", commit)
    named, _, *files = changed.split("\n")
    assert named == "张三|发布知识库"
    assert files == ["A\tkb/items/new.yaml", "D\tkb/items/old.yaml", "M\tkb/texts.yaml"]
    assert git(work_tree, "status", "--porcelain").split("\n") == ["M  other.txt", "?? kb/notes.txt"]


def test_where_nothing_changed_the_last_commit_holds_it(work_tree: Path) -> None:
    head = git(work_tree, "rev-parse", "HEAD")
    assert repository(work_tree / "kb").commit("again", "张三") == head


def test_a_folder_that_is_a_new_repository_itself_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "texts.yaml").write_text("a: 1\n")
    git(tmp_path, "init", "--quiet", str(folder))
    commit = repository(folder).commit("first", "张三")
    assert git(folder, "log", "--format=%H") == commit


def test_a_folder_in_no_repository_or_not_kept_in_it_is_none(tmp_path: Path, work_tree: Path) -> None:
    (tmp_path / "kb").mkdir()
    assert repository_of(tmp_path / "kb") is None
    (work_tree / ".gitignore").write_text("data/\n")
    (work_tree / "data").mkdir()
    (work_tree / "data" / "texts.yaml").write_text("a: 1\n")
    assert repository_of(work_tree / "data") is None


def test_without_git_there_is_no_repository(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert repository_of(work_tree / "kb") is None


def test_a_hook_that_refuses_is_told(work_tree: Path) -> None:
    hook = work_tree / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    (work_tree / "kb" / "texts.yaml").write_text("a: 2\n")
    with pytest.raises(LvlinError, match="git commit refuses: not on Fridays"):
        repository(work_tree / "kb").commit("again", "张三")
