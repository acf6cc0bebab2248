"""Imports point one way, and each outside dependency has one door. Read from the source, nothing is run."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("bot", "handlers") for path in (ROOT / folder).rglob("*.py"))

FOUNDATION = ("bot.records", "bot.errors")
STRICT = ("bot.strict_yaml",)
KNOWLEDGE = (*FOUNDATION, *STRICT, "bot.kb")
MATCHING = (*KNOWLEDGE, "bot.matching")
BRAIN = (*MATCHING, "bot.places", "bot.brain")
CONTRACTS = ("bot.storage.contract", "bot.channels.contract")
CONTEXT = (*BRAIN, *CONTRACTS, "bot.context")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bot.records": (),
    "bot.errors": (),
    "bot.logs": (),
    "bot.vault": FOUNDATION,
    "bot.strict_yaml": FOUNDATION,
    "bot.settings": (*FOUNDATION, *STRICT),
    "bot.kb": KNOWLEDGE,
    "bot.matching": MATCHING,
    "bot.places": KNOWLEDGE,
    "bot.brain": BRAIN,
    "bot.channels": (*FOUNDATION, "bot.channels"),
    "bot.storage": (*FOUNDATION, "bot.storage"),
    "bot.context": CONTEXT,
    "bot.router": CONTEXT,
    "bot.manners": CONTEXT,
    "bot.compose": CONTEXT,
    "bot.local": (*CONTEXT, "bot.compose", "bot.local"),
    "bot.metrics": FOUNDATION,
    "bot.evaluate": FOUNDATION,
    "bot.export": (*FOUNDATION, *CONTRACTS),
    "bot.learning": ("bot.settings", "bot.assembly", "bot.publishing", "bot.storage.memory", "bot.learning", *CONTEXT),
    "bot.learning.clusters": MATCHING,
    "bot.learning.lessons": (*MATCHING, "bot.learning.clusters"),
    "bot.learning.edits": FOUNDATION,
    "bot.llm": (*MATCHING, *CONTRACTS, "bot.llm"),
    "bot.turns": (*CONTEXT, "bot.router", "bot.manners", "bot.learning.clusters"),
    "bot.asking": (*CONTEXT, "bot.router", "bot.turns"),
    "bot.knowledge": BRAIN,
    "bot.plain_http": ("bot.channels.contract",),
    "bot.listen": (*FOUNDATION, "bot.plain_http"),
    "bot.health": (*FOUNDATION, *CONTRACTS),
    "bot.outbox": (*FOUNDATION, *CONTRACTS, "bot.channels.webhook"),
    "bot.webhook": (*BRAIN, *CONTRACTS, "bot.plain_http", "bot.channels.answer", "bot.turns"),
    "bot.web": (*FOUNDATION, *CONTRACTS, "bot.metrics"),
    "handlers": (*CONTEXT, "bot.router", "bot.compose", "bot.local", "bot.learning.lessons"),
    "bot.assembly": ("bot", "handlers"),
    "bot.publishing.versions": KNOWLEDGE,
    "bot.publishing": (
        *CONTEXT, "bot.settings", "bot.storage.memory", "bot.turns", "bot.assembly", "bot.publishing",
    ),
    "bot.yaml_text": (*FOUNDATION, *STRICT),
    "bot.sheets": (*KNOWLEDGE, "bot.yaml_text", "bot.sheets"),
    "bot.app": ("bot",),
    "bot.cli": ("bot",),
    "bot.__main__": ("bot.cli",),
}
"""Module or folder → what it may import of ours; the longest name that fits counts."""

ONE_DOOR: dict[str, tuple[str, ...]] = {
    "rapidfuzz": ("bot.matching.likeness",),
    "sqlite_utils": ("bot.storage",),
    "sqlite3": ("bot.storage",),
    "yaml": ("bot.strict_yaml", "bot.yaml_text", "bot.learning.edits"),
    "holidays": ("bot.kb.workdays",),
    "defusedxml": ("bot.channels.xml",),
    "standardwebhooks": ("bot.channels.webhook",),
    "cryptography": ("bot.channels.crypto", "bot.vault"),
    "prometheus_client": ("bot.health",),
    "pythonjsonlogger": ("bot.logs",),
    "xlsxwriter": ("bot.export", "bot.sheets.write", "bot.sheets.rules"),
    "openpyxl": ("bot.sheets.read",),
    "click": ("bot.cli",),
    "rich": ("bot.cli",),
    "aiohttp": ("bot.outbox", "bot.llm.client", "bot.webhook", "bot.listen", "bot.health", "bot.web", "bot.app"),
}
"""Package → the modules, or folders, that may import it."""

NO_CLOCK = (
    "bot.kb", "bot.matching", "bot.places", "bot.compose", "bot.local", "bot.manners", "bot.metrics", "bot.channels",
    "handlers", "bot.sheets", "bot.yaml_text",
)  # fmt: skip
"""What is given the time and never asks for it."""

NO_DISK = (
    "bot.channels", "bot.compose", "bot.local", "bot.manners", "bot.places", "bot.router", "bot.turns", "bot.webhook",
    "handlers",
)  # fmt: skip
"""What neither opens a file nor a socket."""

SOCKETS_AND_FILES = frozenset(
    ("socket", "ssl", "urllib.request", "http.client", "pathlib", "os", "shutil", "subprocess")
)


def name_of(path: Path) -> str:
    """bot/kb/load.py → bot.kb.load"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, branch: str) -> bool:
    """Whether a module is `branch` or lies in it."""
    return name == branch or name.startswith(f"{branch}.")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(module, line) of everything a file imports, wherever it stands in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((_module(node.module or "", alias.name), node.lineno) for alias in node.names)


def _module(package: str, name: str) -> str:
    """`from bot import manners` imports bot.manners, `from bot.errors import Fault` bot.errors."""
    whole = f"{package}.{name}"
    inside = ROOT / whole.replace(".", "/")
    return whole if inside.with_suffix(".py").exists() or inside.is_dir() else package


def allowed(name: str) -> tuple[str, ...]:
    """What a module may import of ours."""
    rooms = [room for room in MAY_IMPORT if within(name, room)]
    assert rooms, f"{name} stands in no room: say in MAY_IMPORT what it may import"
    return MAY_IMPORT[max(rooms, key=len)]


every_file = pytest.mark.parametrize("path", [pytest.param(path, id=name_of(path)) for path in FILES])


def test_the_table_names_nothing_that_is_gone():
    known = {name_of(path) for path in FILES}
    assert [room for room in MAY_IMPORT if not any(within(name, room) for name in known)] == []
    for package, doors in ONE_DOOR.items():
        assert all(any(within(name, door) for name in known) for door in doors), package


@every_file
def test_imports_point_one_way(path):
    name = name_of(path)
    if name in ("bot", "handlers"):
        return
    may = allowed(name)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for module, line in imports(path)
        if module.split(".")[0] in ("bot", "handlers") and module != "bot"
        if not any(within(module, room) for room in may)
    ]
    assert wrong == []


@every_file
def test_each_dependency_has_one_door(path):
    name = name_of(path)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for module, line in imports(path)
        if (doors := ONE_DOOR.get(module.split(".")[0])) and not any(within(name, door) for door in doors)
    ]
    assert wrong == []


@every_file
def test_only_the_top_knows_the_app(path):
    """Only the command line imports the app, only the assembly imports handlers, and handlers never each other."""
    name = name_of(path)
    for module, line in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}"
        assert not within(module, "bot.app") or within(name, "bot.cli"), where
        assert not within(module, "handlers") or name == "bot.assembly", where
        assert not within(module, "bot.cli") or within(name, "bot.cli") or name == "bot.__main__", where


@every_file
def test_only_two_call_others(path):
    """aiohttp's client has two users, what we send and the language model; all others only serve."""
    if name_of(path) in ("bot.outbox", "bot.llm.client"):
        return
    tree = ast.parse(path.read_text("utf-8"))
    assert not any(isinstance(node, ast.Import) and node.names[0].name == "aiohttp" for node in ast.walk(tree))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    taken = {alias.name for node in froms if node.module == "aiohttp" for alias in node.names}
    assert taken <= {"web"}


@every_file
def test_pure_rooms_have_no_clock_and_no_disk(path):
    name = name_of(path)
    tree = ast.parse(path.read_text("utf-8"))
    if any(within(name, room) for room in NO_CLOCK):
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        clocks = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic"}
        assert not calls & clocks
    if any(within(name, room) for room in NO_DISK):
        assert {module for module, _ in imports(path)}.isdisjoint(SOCKETS_AND_FILES)


def test_what_is_imported_is_a_dependency_or_the_standard_library():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    spelt = {"pyyaml": "yaml", "python-json-logger": "pythonjsonlogger", "sqlite-utils": "sqlite_utils"}
    names = {requirement.split(">")[0].split("[")[0].split("=")[0].strip().lower() for requirement in declared}
    names = {spelt.get(name, name.replace("-", "_")) for name in names}
    used = {module.split(".")[0] for path in FILES for module, _ in imports(path)}
    assert used - names - set(sys.stdlib_module_names) - {"bot", "handlers"} == set()
