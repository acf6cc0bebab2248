"""Strict YAML: nothing is read differently from how it looks, and every fault knows its line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from bot.strict_yaml import MAX_DEPTH, Document, name, parse, validate


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in parse(text, "f.yaml")[1]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("no", "no", id="no-is-no-false"),
        pytest.param("on", "on", id="on-is-no-true"),
        pytest.param("Yes", "Yes", id="yes"),
        pytest.param("True", "True", id="capital-true-is-a-text"),
        pytest.param("0123", "0123", id="no-octal"),
        pytest.param("0o17", "0o17", id="no-octal-of-1.2"),
        pytest.param("0x1F", "0x1F", id="no-hexadecimal"),
        pytest.param("1_000", "1_000", id="no-underscores"),
        pytest.param("12:30", "12:30", id="no-sexagesimal"),
        pytest.param("12:30:45", "12:30:45", id="no-sexagesimal-seconds"),
        pytest.param("1e3", "1e3", id="no-exponent"),
        pytest.param(".5", ".5", id="no-bare-point"),
        pytest.param(".inf", ".inf", id="no-infinity"),
        pytest.param(".nan", ".nan", id="no-nan"),
        pytest.param("+1", "+1", id="no-plus"),
        pytest.param("9" * 19, "9" * 19, id="19-digits-are-a-text"),
        pytest.param("9" * 18, int("9" * 18), id="18-digits-are-a-number"),
        pytest.param("9" * 400 + ".0", "9" * 400 + ".0", id="no-overflow-to-infinity"),
        pytest.param("=", "=", id="equals-sign"),
        pytest.param("２", "２", id="full-width-digit"),
        pytest.param("0", 0, id="zero"),
        pytest.param("-7", -7, id="negative"),
        pytest.param("0.85", 0.85, id="decimal"),
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="tilde"),
        pytest.param("", None, id="nothing"),
        pytest.param("2026-10-31", date(2026, 10, 31), id="day"),
        pytest.param("2026-10-31 08:00", "2026-10-31 08:00", id="moment-is-a-text"),
        pytest.param('"12"', "12", id="quoted-number"),
        pytest.param("'true'", "true", id="quoted-true"),
        pytest.param('""', "", id="quoted-nothing"),
        pytest.param("|\n  2\n", "2\n", id="block-is-a-text"),
        pytest.param("'*x'", "*x", id="quoted-star"),
    ],
)
def test_scalars(written: str, value: object) -> None:
    document, faults = parse(f"a: {written}", "f.yaml")
    assert faults == []
    assert document.value == {"a": value}
    assert type(document.value["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("a: 1\nb: 2\na: 3", ["key 'a' stands twice (first in line 1) (f.yaml:3)"], id="repeated-key"),
        pytest.param(
            "x:\n  - {a: 1, a: 2}", ["key 'a' stands twice (first in line 2) (f.yaml:2)"], id="repeated-inside"
        ),
        pytest.param("a: &x 1\nb: *x", ["an alias (*name) is used (f.yaml:2)"], id="scalar-alias"),
        pytest.param("a: &x [1]\nb:\n - *x\n - *x", ["an alias", "an alias"], id="every-alias"),
        pytest.param("a: *nobody", ["an alias (*name) is used (f.yaml:1)"], id="alias-of-nothing"),
        pytest.param("&a [*a]", ["an alias"], id="alias-of-itself"),
        pytest.param("b: &x {c: 1}\na:\n  <<: *x", ["an alias (*name) is used (f.yaml:3)"], id="merge"),
        pytest.param("a: !!python/object/apply:os.system [x]", ["a tag (!name) is used"], id="python-tag"),
        pytest.param("a: !!str 12", ["a tag (!name) is used"], id="even-a-core-tag"),
        pytest.param("a: !!set {b}", ["a tag (!name) is used"], id="tag-of-a-mapping"),
        pytest.param("? [a]\n: 1", ["a key is not a plain text"], id="list-as-key"),
        pytest.param("!!int 1: x", ["a key is not a plain text"], id="tagged-key"),
        pytest.param("*a : 1", ["a key is not a plain text"], id="alias-as-key"),
        pytest.param("a: 1\n---\nb: 2", ["a second document begins (f.yaml:2)"], id="two-documents"),
        pytest.param("a: 2026-02-30", ["'2026-02-30' is not a date"], id="no-such-day"),
        pytest.param("a: 1\nb: \x00", ["character U+0000 cannot stand in YAML (f.yaml:2)"], id="nul"),
        pytest.param("a: 1\nb: 'x", ["(f.yaml:2)"], id="open-quote"),
        pytest.param("a:\n\tb: 1", ["(f.yaml:2)"], id="tab"),
        pytest.param("a: 1\nb: 2: 3", ["(f.yaml:2)"], id="two-colons"),
        pytest.param("a: 1\na: 2\nb: *x\nc: !y z", ["twice", "alias", "tag"], id="all-of-them"),
    ],
)
def test_refused(text: str, told: list[str]) -> None:
    found = faults_of(text)
    assert len(found) == len(told)
    for fault, part in zip(found, told, strict=True):
        assert part in fault
        assert " — " in fault


def test_the_first_of_a_repeated_key_stays() -> None:
    document, _ = parse("a: 1\na: {b: [2]}\nc: 3", "f.yaml")
    assert document.value == {"a": 1, "c": 3}
    assert document.line(("a",)) == 1


def test_an_alias_bomb_is_not_expanded() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10))
    document, faults = parse(f"l0: &l0 [{', '.join(['lol'] * 10)}]\n{levels}", "f.yaml")
    assert len(faults) == 90
    assert document.value["l9"] == [None] * 10


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="flow"),
        pytest.param("{a: " * 10_000, id="flow-mappings"),
        pytest.param("- " * 10_000 + "a", id="block"),
        pytest.param("? " * 1_000 + "a", id="keys"),
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert any(fault.startswith("nested too deeply (f.yaml:1)") for fault in faults_of(text))


@pytest.mark.parametrize(
    ("depth", "faults"),
    [pytest.param(MAX_DEPTH, 0, id="at-the-limit"), pytest.param(MAX_DEPTH + 1, 1, id="just-above")],
)
def test_depth_limit(depth: int, faults: int) -> None:
    assert len(faults_of("[" * depth + "]" * depth)) == faults


def test_every_value_knows_its_line() -> None:
    document, _ = parse("a:\n  - x: 1\n    y:\n      2\n  - z\nb: {c: 3}\n", "f.yaml")
    lines = {("a",): 1, ("a", 0): 2, ("a", 0, "x"): 2, ("a", 0, "y"): 3, ("a", 1): 5, ("b", "c"): 6}
    assert {place: document.line(place) for place in lines} == lines
    assert document.line(("a", 0, "absent")) == 2
    assert document.line(("absent",)) == 1


@pytest.mark.parametrize("text", [pytest.param("", id="empty"), pytest.param("# only a comment\n", id="comment")])
def test_nothing_is_none(text: str) -> None:
    assert parse(text, "f.yaml") == (Document("f.yaml", None, {}), [])


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse("\ufeffa: 1", "f.yaml")[0].value == {"a": 1}


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), plain, max_size=4))
def test_what_is_written_with_quotes_is_read_as_written(value: dict[str, Any]) -> None:
    written = yaml.dump(value, Dumper=_Quoting, allow_unicode=True)
    document, faults = parse(written, "f.yaml")
    assert faults == []
    assert document.value == value


class _Quoting(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@given(st.text(alphabet="ab:-?[]{}*&!|>'\"#%@`,. \n\t\ufeff\x85\u2028中é😀", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    document, faults = parse(text, "f.yaml")
    assert document.value is None or faults == [] or all("\n" not in str(fault) for fault in faults)
    assert all(1 <= fault.line <= len(text.splitlines()) for fault in faults)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Item(Strict):
    name: str
    count: int = Field(default=1, ge=0, le=9)
    colour: Literal["red", "green"] = "red"


class Post(Strict):
    type: Literal["post"]
    token: str
    stamps: Annotated[tuple[Item, ...], BeforeValidator(_listed)] = ()


class Phone(Strict):
    type: Literal["phone"]
    number: str

    @field_validator("number")
    @classmethod
    def _dialled(cls, value: str) -> str:
        if not value.isdigit():
            raise ValueError("is not digits — write 021…")
        return value


class House(Strict):
    title: str = ""
    items: Annotated[tuple[Item, ...], BeforeValidator(_listed)] = ()
    by_name: dict[str, Item] = {}
    ways: dict[str, Annotated[Post | Phone, Field(discriminator="type")]] = {}
    maybe: Item | None = None
    since: date | None = None
    open: bool = True
    days: Annotated[Literal["daily"] | tuple[int, ...], BeforeValidator(_listed)] = "daily"
    kinds: dict[Literal["a", "b"], int] = {}
    entrance: str = Field(default="", alias="from")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("titel: x", "unknown key titel (f.yaml:1) — did you mean 'title'?", id="near-key"),
        pytest.param("zzz: x", "unknown key zzz (f.yaml:1) — allowed here: by_name, days, from, items", id="far-key"),
        pytest.param("form: x", "unknown key form (f.yaml:1) — did you mean 'from'?", id="near-alias"),
        pytest.param(
            "items:\n- name: a\n- name: b\n  cuont: 2",
            "unknown key items[1].cuont (f.yaml:4) — did you mean 'count'?",
            id="near-key-through-a-list",
        ),
        pytest.param(
            "by_name:\n  a: {name: x,\n    color: red}",
            "unknown key by_name.a.color (f.yaml:3) — did you mean 'colour'?",
            id="near-key-through-a-mapping",
        ),
        pytest.param(
            "ways:\n  w:\n    type: post\n    token: x\n    tokn: y",
            "unknown key ways.w.tokn (f.yaml:5) — did you mean 'token'?",
            id="near-key-through-the-union",
        ),
        pytest.param(
            "ways:\n  w:\n    type: post\n    token: x\n    stamps:\n    - {nam: y, name: y}",
            "unknown key ways.w.stamps[0].nam (f.yaml:6) — did you mean 'name'?",
            id="near-key-below-the-union",
        ),
        pytest.param("maybe: {name: a, cont: 1}", "did you mean 'count'?", id="near-key-through-an-optional"),
        pytest.param(
            "ways: {w: {type: post}}", "ways.w.token is missing (f.yaml:1) — add it", id="missing-in-the-union"
        ),
        pytest.param(
            "ways:\n  w:\n    type: pots", "ways.w.type is 'pots' (f.yaml:2) — use 'post', 'phone'; did", id="tag"
        ),
        pytest.param("ways: {w: {number: '1'}}", "ways.w.type is missing (f.yaml:1) — add it", id="no-tag"),
        pytest.param(
            "ways: {w: hunter2}", "ways.w is a text (f.yaml:1) — write keys and values", id="text-for-mapping"
        ),
        pytest.param(
            "ways:\n  w:\n    type: phone\n    number: abc",
            "ways.w.number is not digits (f.yaml:4) — write 021…",
            id="own-words",
        ),
        pytest.param(
            "items: [{name: 12}]", "items[0].name is 12 (f.yaml:1) — write a text (in quotes", id="number-for-text"
        ),
        pytest.param("title: no\nopen: no", "open is 'no' (f.yaml:2) — write true or false", id="no-for-false"),
        pytest.param(
            "title: 2026-10-31", "title is 2026-10-31 (f.yaml:1) — write a text (in quotes", id="date-for-text"
        ),
        pytest.param("since: 2026", "since is 2026 (f.yaml:1) — write a day", id="number-for-date"),
        pytest.param("items: {}", "items is a mapping (f.yaml:1) — write a list", id="mapping-for-list"),
        pytest.param("maybe: {name: a, count: 10}", "maybe.count is 10 (f.yaml:1) — write at most 9", id="too-much"),
        pytest.param("maybe: {name: a, count: -1}", "maybe.count is -1 (f.yaml:1) — write at least 0", id="too-little"),
        pytest.param(
            "maybe: {name: a, count: true}", "maybe.count is true (f.yaml:1) — write a whole", id="bool-for-int"
        ),
        pytest.param(
            "maybe: {name: a, count: '1'}", "maybe.count is '1' (f.yaml:1) — write a whole", id="text-for-int"
        ),
        pytest.param("maybe: {name: ~}", "maybe.name is empty (f.yaml:1) — write a text", id="empty"),
        pytest.param("maybe: {name: a, colour: gren}", "use 'red' or 'green'; did you mean 'green'?", id="near-word"),
        pytest.param("title: x\ndays: [1, x]", "days[1] is 'x' (f.yaml:2) — write a whole number", id="plain-union"),
        pytest.param(
            "title: x\nkinds:\n  c: 1", "kinds.c is 'c' (f.yaml:3) — use 'a' or 'b'", id="wrong-key-of-a-mapping"
        ),
        pytest.param("- a", "the file is a list (f.yaml:1) — write keys and values", id="list-for-file"),
    ],
)
def test_validate_tells(text: str, told: str) -> None:
    document, faults = parse(text, "f.yaml")
    assert faults == []
    found = validate(House, document)
    assert isinstance(found, list)
    assert any(told in str(fault) for fault in found), [str(fault) for fault in found]


def test_validate_tells_all() -> None:
    document, _ = parse("titel: x\nopen: 1\nitems:\n- {}\nmaybe: 3", "f.yaml")
    found = validate(House, document)
    assert isinstance(found, list)
    assert sorted(fault.line for fault in found) == [1, 2, 4, 5]


def test_validate_returns_the_object() -> None:
    document, _ = parse("items: [{name: a}]\nfrom: x", "f.yaml")
    house = validate(House, document)
    assert isinstance(house, House)
    assert (house.items, house.entrance) == ((Item(name="a"),), "x")


def test_what_has_a_fault_gets_no_second_one() -> None:
    document, faults = parse("title: *x\nmaybe: !y {name: a}\nopen: 3", "f.yaml")
    found = validate(House, document)
    assert len(faults) == 2
    assert isinstance(found, list)
    assert [fault.line for fault in found] == [3]


def test_hidden_values_are_not_shown() -> None:
    document, _ = parse("title: 31337\nmaybe: {name: a, colour: hunter2}", "f.yaml")
    found = validate(House, document, hidden=lambda place, value: True)
    assert isinstance(found, list)
    assert [fault.what for fault in found] == ["title is a number", "maybe.colour is a text"]
    assert not any("31337" in str(fault) or "hunter2" in str(fault) for fault in found)


def test_a_long_value_is_shortened() -> None:
    document, _ = parse(f"maybe: {{name: a, count: {'x' * 500}}}", "f.yaml")
    found = validate(House, document)
    assert isinstance(found, list)
    assert len(str(found[0])) < 120


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param(("items", 3, "category"), "items[3].category", id="list"),
        pytest.param(("channels", "mp", "token"), "channels.mp.token", id="mapping"),
        pytest.param((), "", id="file"),
    ],
)
def test_name(place: tuple[str | int, ...], words: str) -> None:
    assert name(place) == words
