"""Lint: each of the faults planted into a small knowledge without one is found, with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.kb.check import LOADING, Report, check
from bot.kb.entries import Synonyms
from bot.kb.slugs import ALL_NAMES, ITEM_QUESTIONS, OUT_OF_SCOPE, TOPIC_NAMES
from bot.matching.fold import Fold
from tests.unit.small_kb import CHOICES, CITY, FILES, ITEMS, PLACES, write

TODAY = date(2026, 11, 23)
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


@pytest.fixture(autouse=True)
def _two_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full list of slugs would need a file each."""
    monkeypatch.setattr("bot.kb.lint.references.TOPIC_NAMES", {"lamp": "灯", "noise": "噪声"})


def folding(synonyms: Synonyms) -> Callable[[str], str]:
    fold = Fold(synonyms.words, synonyms.emoji, synonyms.fillers)
    return lambda text: fold(text).tight


def checked(folder: Path, **changes: str) -> Report:
    """Check the small knowledge, changed in some files."""
    return check(write(folder, **changes), TODAY, folding)


def test_nothing_to_say_of_good_knowledge(tmp_path: Path) -> None:
    assert checked(tmp_path) == Report(())


NOISE = FILES["topics/noise.yaml"]
LAMP = FILES["topics/lamp.yaml"]
DANGERS, SOURCES = FILES["dangers.yaml"], FILES["sources.yaml"]
LOCAL = "topic: noise\nentries:\n  - {id: box, ask: [电池箱在哪], local: {facility: battery_box}}\n"
MORE = "  - {id: more, ask: [还有更多噪声吗], answer: 别的事，请问居委。, source: 源, review_by: 2027-06-30}\n"


def item(*fields: str) -> str:
    """The items with one more, in line 6."""
    return f"{ITEMS}  - {{name: 旧书, category: recyclable, {', '.join(fields)}}}\n"


def answered(text: str) -> str:
    """The noise topic with another answer, which stands in line 5."""
    return NOISE.replace("noise的事，请问居委。", text)


def asked(*phrases: str) -> str:
    """The noise topic with other phrases, the first in line 5."""
    return NOISE.replace("[noise是什么]", "".join(f"\n      - {phrase}" for phrase in phrases))


def planted(rule: str, file: str, text: str, line: int, said: str) -> Any:
    """A file with a fault in it, and where it is to be found."""
    return pytest.param(file, text, line, rule, said, id=f"{rule}: {said}")


REFUSED = [
    planted(LOADING, "cities/national", CITY.replace("  oil:", "  # oil:"), 6, "lacks oil"),
    planted(LOADING, "cities/national", CITY.replace("source: 源", "source: 书"), 4, "source is '书'"),
    planted(LOADING, "items/all", ITEMS.replace("residual", "residul"), 4, "is 'residul'"),
    planted(LOADING, "items/all", ITEMS.replace("mercury", "fire"), 5, "danger of '灯管' is 'fire'"),
    planted(LOADING, "items/all", item("source: 书"), 6, "source of '旧书' is '书'"),
    planted(LOADING, "items/all", ITEMS.replace("source: 源\n", ""), 3, "source of '奶茶杯' is ''"),
    planted(LOADING, "items/all", item("topic: lapm"), 6, "topic of '旧书' is 'lapm'"),
    planted(LOADING, "items/all", item("aliases: [灯管]"), 6, "item '灯管' stands already"),
    planted(LOADING, "topics/noise", NOISE.replace("    source: 源\n", ""), 3, "an answer without a source"),
    planted(LOADING, "topics/noise", NOISE.replace("[noise是什么]", "[]"), 3, "no way of asking"),
    planted(LOADING, "topics/noise", NOISE.replace("noise是什么", "lamp是什么"), 4, "'lamp是什么' stands already"),
    planted(LOADING, "topics/noise", NOISE + NOISE.partition("entries:\n")[2], 8, "id 'what' stands twice"),
    planted(LOADING, "choices", CHOICES.replace("item: 灯管", "item: 灯笼"), 4, "option '灯管' of '灯' names no item"),
    planted(LOADING, "places", PLACES.replace("id: estate", "id: root"), 5, "place id 'root' stands twice"),
    planted(LOADING, "texts", FILES["texts.yaml"].replace("greeting: 您好", "greeting: '{name}'"), 1, "placeholder"),
]
"""What cannot even be loaded."""

BLOCKING = [
    planted("never-valid", "items/all", item("valid_from: 2027-02-01", "valid_to: 2027-01-31"), 6, "before it begins"),
    planted("unknown-topic", "choices", CHOICES.replace("category: r", "topic: lmap, category: r"), 5, "is 'lmap'"),
    planted("unknown-topic", "dangers", DANGERS.replace("{text", "{topic: lmap, text"), 1, "of danger 'mercury'"),
    planted("unknown-city", "items/all", item("cities: {bejing: residual}"), 6, "the city 'bejing'"),
    planted("unknown-city", "topics/noise", NOISE + "    cities: {wuhan: {answer: 请问居委。}}\n", 8, "city 'wuhan'"),
    planted("unknown-city", "sources", SOURCES.replace("mark: A", "mark: A, city: wuhan"), 1, "of source '源'"),
    planted("unknown-facility", "topics/noise", LOCAL.replace("battery_box", "sauna"), 3, "'sauna' of 'box'"),
    planted("empty-word", "items/all", ITEMS.replace("奶茶杯子", "？？"), 4, "'？？' of item '奶茶杯'"),
    planted("empty-word", "choices", CHOICES.replace("  question", "  also: [！]\n  question"), 2, "'！' of the"),
    planted("empty-word", "synonyms", "fillers: [请问]\nwords: {啥: 什么, ' ': 没有}\n", 2, "a key of words is empty"),
    planted("two-bins", "items/all", item("aliases: [奶 茶 杯]"), 6, "goes into another bin (recyclable, not residual"),
    planted("same-choice", "choices", CHOICES + CHOICES.replace("word: 灯", "word: 灯！"), 6, "'灯！' is a word"),
    planted("empty-phrase", "topics/noise", asked("noise是什么", "？！"), 6, "'？！' is empty once folded"),
    planted("empty-phrase", "topics/noise", asked("吵"), 5, "'吵' is a single character"),
    planted("empty-phrase", "topics/noise", asked("noise是什么", "请问请问"), 6, "holds nothing but fillers"),
    planted("empty-phrase", "topics/noise", asked("noise是什么", "这个怎么办呢"), 6, "only words that every question"),
    planted("same-phrase", "topics/noise", asked("请问，LAMP是什么？"), 5, "the same as 'lamp是什么' of lamp"),
    planted("same-answer", "topics/noise", answered("lamp的事，请问居委。"), 5, "has the same answer as lamp/what"),
    planted(
        "hazard-conflict", "items/all", ITEMS.replace("hazardous,", "hazardous, cities: {national: residual},"), 5,
        "'灯管' is residual in national and hazardous elsewhere",
    ),
    planted(
        "case-conflict", "choices", CHOICES.replace("item: 灯管", "item: 灯管, category: food"), 4,
        "'灯管' of '灯' goes into food, the item '灯管' into hazardous",
    ),
]  # fmt: skip
"""What can be loaded and must not be published."""

WARNED = [
    planted("expired", "items/all", item("valid_to: 2026-11-22"), 6, "item '旧书' has expired: it is valid to"),
    planted("expired", "topics/noise", NOISE + "    valid_to: 2026-11-22\n", 8, "entry 'what' has expired"),
    planted("stale", "items/all", ITEMS.replace("2027-06-30", "2026-11-22"), 2, "the file was to be reviewed by"),
    planted("stale", "items/all", item("review_by: 2026-11-22"), 6, "item '旧书' was to be reviewed by"),
    planted("stale", "topics/noise", NOISE.replace("2027-06-30", "2026-11-22"), 7, "entry 'what' was to be reviewed"),
    planted("stale-soon", "topics/noise", NOISE.replace("2027-06-30", "2026-12-23"), 7, "2026-12-23, in 30 days"),
    planted("no-review", "items/all", ITEMS.replace("review_by: 2027-06-30\n", ""), 1, "the file has no review_by"),
    planted("no-review", "topics/noise", NOISE.replace("    review_by: 2027-06-30\n", ""), 3, "'what' has no review"),
    planted("unknown-facility", "places", PLACES.replace("battery_box", "sauna"), 9, "facility kind 'sauna'"),
    planted("no-entry", "topics/noise", "topic: noise\nentries: []\n", 1, "topic 'noise' has no entry"),
    planted("unused", "dangers", DANGERS + "battery: {text: 小心。}\n", 2, "danger 'battery' is never told"),
    planted("needless-choice", "choices", CHOICES.replace("residual", "hazardous"), 1, "go into the same bin"),
    planted("same-word", "items/all", f"{ITEMS}  - {{name: 奶 茶 杯, category: residual}}\n", 6, "reads the same as"),
    planted("ambiguous-alias", "items/all", ITEMS.replace("奶茶杯子", "灯"), 4, "is the ambiguous word '灯'"),
    planted("state-changes-bin", "items/all", item("aliases: [破奶茶杯]"), 6, "'破奶茶杯' goes into recyclable"),
    planted("near-phrase", "topics/noise", asked("lamp是啥呢"), 5, "asks the same as 'lamp是什么' of lamp/what"),
    planted("broad-phrase", "topics/noise", asked("noise是什么", "噪声"), 6, "'噪声' is one common word"),
    planted("broad-phrase", "topics/noise", asked("noise是什么", "奶茶杯"), 6, "is the name of the thing '奶茶杯'"),
    planted("chatter-is-asked", "chatter", "lines:\n  - 早上好\n  - Lamp是什么\n", 3, "is to stay unanswered"),
    planted("too-long", "topics/noise", answered("请" * 161), 5, "has 161 characters"),
    planted(
        "too-long", "topics/noise", NOISE + f"    cities: {{national: {{answer: {'请' * 161}}}}}\n", 8,
        "of 'what' for national has 161 characters",
    ),
    planted("too-long", "topics/noise", NOISE + f"    detail: {'请' * 401}\n", 8, "the detail of 'what' has 401"),
    planted("too-long", "dangers", DANGERS.replace("小心。", "小心" * 81), 1, "danger 'mercury' has 162 characters"),
    planted("too-long", "choices", CHOICES.replace("灯座", "灯座" * 11), 5, "has 22 characters"),
    planted("no-next-step", "topics/noise", answered("这是一种声音。"), 5, "names no next step"),
    planted("hard-words", "topics/noise", answered("请不得擅自装修。"), 5, "uses 不得、擅自"),
    planted("local-fact", "topics/noise", answered("请打电话021-55667788。"), 5, "the phone number '021-55667788'"),
    planted("local-fact", "topics/noise", answered("请打58881234问物业。"), 5, "the phone number '58881234'"),
    planted("local-fact", "topics/noise", answered("请在8:00–18:00开放时间来。"), 5, "the opening time"),
    planted("local-fact", "topics/noise", answered("每周三上午有车，请送来。"), 5, "the opening time '每周三上午"),
    planted("local-fact", "topics/noise", answered("请送到3号楼。"), 5, "the place '3号楼'"),
    planted("local-fact", "topics/noise", answered("请预约，一件30元。"), 5, "the price '30元'"),
    planted("local-fact", "topics/noise", answered("请在2026年12月5日来。"), 5, "the day 2026年12月5, which will pass"),
    planted("near-answer", "topics/noise", answered("lamp的事，请问居委会。"), 5, "tells nearly the same as lamp/what"),
    planted("hazard-conflict", "items/all", item("cities: {national: hazardous}"), 6, "hazardous in national and rec"),
    planted("city-lacks", "cities/national", CITY.replace("contacts:", "# contacts:"), 1, "names no phone"),
    planted("city-lacks", "cities/national", CITY.replace("food, colour: 蓝色", "food"), 9, "has no colour of food"),
    planted("same-variant", "items/all", item("cities: {national: recyclable}"), 6, "in national, as everywhere"),
    planted("reason-of-another-bin", "items/all", item("reason: 旧书属于residual"), 6, "speaks of residual"),
    planted("case-conflict", "choices", CHOICES.replace("灯座", "奶茶杯").replace("residual", "food"), 5, "into food"),
]  # fmt: skip
"""What is allowed, but should not stay so."""


def test_there_are_more_than_forty_faults_in_the_table() -> None:
    assert len(REFUSED) + len(BLOCKING) + len(WARNED) >= 40


@pytest.mark.parametrize(
    ("file", "text", "line", "rule", "said", "blocks"),
    [
        pytest.param(*case.values, blocks, id=str(case.id))
        for cases, blocks in ((BLOCKING, True), (WARNED, False))
        for case in cases
    ],
)
def test_a_planted_fault_is_found(
    tmp_path: Path, file: str, text: str, line: int, rule: str, said: str, blocks: bool
) -> None:
    """It alone, at its line, with what to do about it."""
    (found,) = checked(tmp_path, **{file.replace("/", "__"): text}).findings
    assert (found.rule, found.fault.file, found.fault.line) == (rule, f"kb/{file}.yaml", line)
    assert said in found.fault.what
    assert found.fault.mend
    assert found.blocks is blocks


@pytest.mark.parametrize(("file", "text", "line", "rule", "said"), REFUSED)
def test_what_the_loader_refuses_is_found(
    tmp_path: Path, file: str, text: str, line: int, rule: str, said: str
) -> None:
    report = checked(tmp_path, **{file.replace("/", "__"): text})
    assert {finding.rule for finding in report.findings} == {rule}
    (error,) = (error for error in report.errors if said in error.what)
    assert (error.file, error.line) == (f"kb/{file}.yaml", line)
    assert error.mend


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("dangers", DANGERS + "battery: {text: 小心。, words: [鼓包]}\n", id="danger-by-its-words"),
        pytest.param("choices", CHOICES.replace("category: residual", "topic: lamp"), id="a-bin-or-a-topic"),
        pytest.param("items/all", ITEMS.replace("奶茶杯子", "奶 茶 杯"), id="an-item-may-be-spelt-twice"),
        pytest.param("items/all", f"{ITEMS}  - {{name: 灯, category: residual}}\n", id="an-ambiguous-word-as-an-item"),
        pytest.param(
            "items/all", ITEMS.replace("danger:", "aliases: [灯], danger:"), id="an-alias-that-is-a-case-of-the-word"
        ),
        pytest.param("topics/noise", NOISE + "    valid_to: 2026-11-23\n", id="valid-to-the-end-of-today"),
        pytest.param("topics/noise", NOISE.replace("2027-06-30", "2026-12-24"), id="to-be-reviewed-in-31-days"),
        pytest.param("topics/noise", answered("请" * 160), id="just-short-enough"),
        pytest.param("topics/noise", asked("噪音大"), id="a-short-phrase"),
        pytest.param("topics/noise", LOCAL, id="what-places-answer-needs-no-review"),
        pytest.param("topics/noise", answered("夜里22时到次日6时请安静，不听打12345。"), id="hours-of-the-law"),
        pytest.param("topics/noise", answered("拒不改正的罚200元，请别犯。"), id="a-fine-is-no-price"),
        pytest.param("topics/noise", answered("按《某条例》请别做，2024年5月1日起。"), id="a-day-that-is-past"),
        pytest.param("topics/noise", answered("标准是GB/T 19095-2019，请照做。"), id="a-standard-is-no-phone"),
        pytest.param("topics/noise", answered("请送收运交付点。"), id="a-word-of-offices-in-a-name"),
        pytest.param(
            "topics/noise", answered("请在2026年12月5日来。") + "    valid_to: 2026-12-05\n", id="a-day-with-an-end"
        ),
        pytest.param("items/all", item("reason: 不属于residual"), id="not-the-other-bin"),
        pytest.param("items/all", item("cities: {national: hazardous}", "disputed: 各地不同"), id="it-says-so"),
        pytest.param("items/all", item("aliases: [破奶茶杯]", "disputed: 破了不同"), id="the-state-is-explained"),
        pytest.param("topics/noise", NOISE + MORE, id="another-entry"),
    ],
)
def test_what_is_fine(tmp_path: Path, file: str, text: str) -> None:
    assert checked(tmp_path, **{file.replace("/", "__"): text}) == Report(())


def test_a_missing_topic_file_is_told(tmp_path: Path) -> None:
    checked(tmp_path)
    (tmp_path / "kb/topics/noise.yaml").unlink()
    (warning,) = check(tmp_path / "kb", TODAY, folding).warnings
    assert (warning.file, warning.line) == ("kb/topics/noise.yaml", 1)


def test_a_year_of_unknown_working_days_is_told(tmp_path: Path) -> None:
    report = check(write(tmp_path), date(2035, 12, 20), folding)
    told = [finding.fault for finding in report.findings if finding.rule == "unknown-year"]
    assert [(fault.file, fault.line) for fault in told] == [("kb/workdays.yaml", 1)] * 2
    assert "of 2035" in told[0].what
    assert "of 2036" in told[1].what


def test_a_city_that_is_said_to_differ_needs_its_bin(tmp_path: Path) -> None:
    beijing = CITY.replace("city: national", "city: beijing").replace("name: 全国", "name: 北京")
    (warning,) = checked(tmp_path, cities__beijing=beijing, items__all=item("disputed: 北京要求投别处")).warnings
    assert (warning.file, warning.line) == ("kb/items/all.yaml", 6)
    assert "no bin for beijing" in warning.what


def test_a_bin_by_the_name_of_one_city_is_told_where_others_read_it(tmp_path: Path) -> None:
    hangzhou = CITY.replace("city: national", "city: hangzhou").replace("name: 全国", "name: 杭州")
    hangzhou = hangzhou.replace("label: food", "label: 易腐垃圾")
    told = answered("请投易腐垃圾桶。")
    (warning,) = checked(tmp_path, cities__hangzhou=hangzhou, topics__noise=told).warnings
    assert (warning.line, "which national does not call so" in warning.what) == (5, True)
    own = f"{NOISE}    cities: {{hangzhou: {{answer: 请投易腐垃圾桶。}}}}\n"
    assert checked(tmp_path, cities__hangzhou=hangzhou, topics__noise=own).findings == ()
    compared = checked(tmp_path, cities__hangzhou=hangzhou, topics__noise=answered("杭州叫易腐垃圾，请分清。"))
    assert "city-label" not in {finding.rule for finding in compared.findings}
    standard = checked(tmp_path, cities__hangzhou=hangzhou, topics__noise=answered("国家标准不叫易腐垃圾，请分清。"))
    assert "city-label" not in {finding.rule for finding in standard.findings}


def test_a_short_phrase_within_many_others_is_broad(tmp_path: Path) -> None:
    entry = "  - {{id: e{n}, ask: [{thing}收废品的几时来], answer: {thing}{thing}，请问居委。, source: 源}}\n"
    entries = "".join(entry.format(n=n, thing=thing * 4) for n, thing in enumerate("纸铁铜铝布木书瓶罐盒"))
    entries = entries.replace("source: 源", "source: 源, review_by: 2027-06-30")
    (warning,) = checked(tmp_path, topics__lamp=LAMP + entries, topics__noise=asked("收废品")).warnings
    assert (warning.file, warning.line) == ("kb/topics/noise.yaml", 5)
    assert "stands within phrases of 10 other entries" in warning.what


def test_an_entry_no_dialog_asks_for_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path)
    covered = frozenset(("topics/lamp/what",))
    (warning,) = check(folder, TODAY, folding, covered=covered).warnings
    assert (warning.file, warning.line) == ("kb/topics/noise.yaml", 3)
    assert warning.what == "no dialog asks for entry 'what'"


def test_every_slug_has_a_chinese_name() -> None:
    assert len(ALL_NAMES) == len(TOPIC_NAMES) + 2 == 47
    assert {ITEM_QUESTIONS, OUT_OF_SCOPE} < set(ALL_NAMES)
    assert all(not name.isascii() for name in ALL_NAMES.values())


def test_the_shipped_knowledge_has_no_fault() -> None:
    assert check(KNOWLEDGE, TODAY, folding).errors == ()


@pytest.mark.parametrize("name", ["knowledge.md", "knowledge.zh-CN.md"])
def test_every_rule_is_told_in_the_documents(name: str) -> None:
    text = (KNOWLEDGE.parent / "docs" / name).read_text(encoding="utf-8")
    planted_rules = {str(case.values[3]) for case in (*REFUSED, *BLOCKING, *WARNED)}
    others = {"variant-lacks", "city-label", "no-dialog", "dialogs"}
    assert [rule for rule in sorted(planted_rules | others) if f"`{rule}`" not in text] == []
