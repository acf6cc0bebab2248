"""The gate: what blocks, what is shown, and what is neither."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from bot.errors import LvlinError
from bot.publishing.gate import Compared, Verdict
from bot.publishing.publish import publish, roll_back, unpublished
from bot.publishing.told import verdict_lines
from bot.publishing.versions import Version, Versions, content_of, read
from bot.settings import Settings

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CUP = "{name: 奶茶杯, category: residual"

Edit = Callable[[str, str, str], None]
Judge = Callable[[], Verdict]


@pytest.fixture
def publish_it(site: Settings, versions: Versions) -> Callable[[], Version]:
    """A function that publishes the folder as it is, whatever the gate says."""

    def go() -> Version:
        content = content_of(read(site.knowledge))
        return publish(site.knowledge, versions, examined=content, by="张三", note="", at=AT)

    return go


def asked(found: tuple[Compared, ...]) -> list[str]:
    return [compared.after.step.say for compared in found]


def test_good_knowledge_passes(examined: Judge, publish_it: Callable[[], Version]) -> None:
    verdict = examined()
    assert (verdict.report.errors, verdict.blocked, len(verdict.compared)) == ((), False, 3)
    assert verdict.edits is None
    publish_it()
    again = examined()
    assert (again.blocked, again.changed, bool(again.edits)) == (False, (), False)


def test_an_answer_against_its_expectation_blocks(
    examined: Judge, publish_it: Callable[[], Version], edit: Edit
) -> None:
    publish_it()
    edit("items/all.yaml", CUP, "{name: 奶茶杯, category: food")
    verdict = examined()
    assert verdict.blocked
    assert asked(verdict.regressions) == ["奶茶杯扔哪个桶"]
    assert verdict.changed == ()
    assert verdict.edits is not None
    assert verdict.edits.changed == ("items/奶茶杯",)
    told = "\n".join(verdict_lines(verdict))
    for part in ("1. 「奶茶杯扔哪个桶」（kb/dialogs/own.yaml:3）", "原来：奶茶杯：干垃圾", "现在：奶茶杯：湿垃圾"):
        assert part in told
    assert "物品和桶：应为 奶茶杯 residual，现为 奶茶杯 food" in told


def test_before_the_first_publication_a_failing_question_blocks_too(examined: Judge, edit: Edit) -> None:
    edit("items/all.yaml", CUP, "{name: 奶茶杯, category: food")
    assert asked(examined().regressions) == ["奶茶杯扔哪个桶"]


def test_a_changed_answer_that_nobody_forbids_is_shown_with_both_texts(
    examined: Judge, publish_it: Callable[[], Version], edit: Edit
) -> None:
    publish_it()
    edit("topics/cooking_oil.yaml", "拿不准问", "不清楚请问")
    verdict = examined()
    assert not verdict.blocked
    assert asked(verdict.changed) == ["废油倒哪里"]
    told = "\n".join(verdict_lines(verdict))
    assert "原来：少量用厨房纸吸干后投湿垃圾，拿不准问" in told
    assert "现在：少量用厨房纸吸干后投湿垃圾，不清楚请问" in told


def test_a_follow_up_is_asked_after_what_was_said_before(
    examined: Judge, publish_it: Callable[[], Version], edit: Edit
) -> None:
    publish_it()
    edit("items/all.yaml", "{name: 苹果核, category: food", "{name: 苹果核, category: residual")
    verdict = examined()
    assert asked(verdict.regressions) == ["那苹果核呢"]
    assert "1. 「废油倒哪里」→「那苹果核呢」（kb/dialogs/own.yaml:7）" in list(verdict_lines(verdict))


def test_what_failed_before_does_not_block(
    site: Settings, examined: Judge, publish_it: Callable[[], Version], edit: Edit
) -> None:
    edit("items/all.yaml", CUP, "{name: 奶茶杯, category: food")
    publish_it()
    edit("topics/noise.yaml", "18时以后", "18点以后")
    verdict = examined()
    assert (verdict.blocked, asked(verdict.lapsed)) == (False, ["奶茶杯扔哪个桶"])


def test_what_is_known_not_to_hold_does_not_block(examined: Judge, edit: Edit) -> None:
    edit("items/all.yaml", CUP, "{name: 奶茶杯, category: food")
    edit("dialogs/own.yaml", "- name: cup", "- name: cup\n  xfail: the cup is being looked at")
    verdict = examined()
    assert (verdict.blocked, verdict.regressions, verdict.lapsed) == (False, (), ())


def test_faults_block_and_nothing_more_is_asked(examined: Judge, edit: Edit) -> None:
    edit("items/all.yaml", "category: residual", "category: residul")
    verdict = examined()
    assert verdict.blocked
    assert verdict.compared == ()
    assert "kb/items/all.yaml" in {error.file for error in verdict.report.errors}


def test_faults_of_the_frozen_questions_block(examined: Judge, edit: Edit) -> None:
    edit("dialogs/own.yaml", "action: answer", "acton: answer")
    (error,) = examined().report.errors
    assert (error.file, error.line) == ("kb/dialogs/own.yaml", 3)


def test_questions_of_another_city_are_not_asked(examined: Judge, edit: Edit) -> None:
    edit("dialogs/own.yaml", "- name: cup", "- name: cup\n  city: beijing")
    verdict = examined()
    assert (len(verdict.compared), verdict.elsewhere) == (2, 1)


def test_lint_knows_which_entries_a_question_covers(examined: Judge) -> None:
    told = {finding.fault.what for finding in examined().report.findings if finding.rule == "no-dialog"}
    assert "no dialog asks for entry 'decorate'" in told
    assert "no dialog asks for entry 'pour'" not in told
    assert "no dialog asks for entry 'gone'" not in told, "it has expired"


def test_an_entry_past_its_last_day_is_not_answered_any_more(
    site: Settings, examined: Callable[[date], Verdict], publish_it: Callable[[], Version], edit: Edit
) -> None:
    edit("topics/cooking_oil.yaml", "    source: 指南\n", "    source: 指南\n    valid_to: 2026-12-01\n")
    publish_it()
    assert examined(date(2026, 12, 1)).regressions == ()
    verdict = examined(date(2026, 12, 2))
    assert asked(verdict.lapsed) == ["废油倒哪里"]
    expired = [finding.fault for finding in verdict.report.findings if finding.rule == "expired"]
    assert ("kb/topics/cooking_oil.yaml", 8) in [(fault.file, fault.line) for fault in expired]


def test_what_was_edited_meanwhile_is_not_published(site: Settings, versions: Versions, edit: Edit) -> None:
    content = content_of(read(site.knowledge))
    edit("texts.yaml", "您好", "你好")
    with pytest.raises(LvlinError, match="was edited while it was examined"):
        publish(site.knowledge, versions, examined=content, by="张三", note="", at=AT)
    assert versions.published() is None


def test_rolling_back_makes_a_new_version_and_loses_no_edit(
    site: Settings, versions: Versions, publish_it: Callable[[], Version], edit: Edit
) -> None:
    first = publish_it()
    good = read(site.knowledge)
    edit("texts.yaml", "您好", "你好")
    publish_it()
    assert not unpublished(site.knowledge, versions)
    edit("texts.yaml", "你好", "大家好")
    edited = read(site.knowledge)
    third, edits = roll_back(site.knowledge, versions, first, by="李四", note="写错了", at=AT)
    assert (third.number, third.restored, third.content, third.by) == (3, 1, first.content, "李四")
    assert versions.published() == third
    assert read(site.knowledge) == good
    assert edits is not None
    assert read(edits) == edited
    assert roll_back(site.knowledge, versions, versions.numbered(2), by="李四", note="", at=AT)[1] is None


def test_a_folder_that_is_gone_comes_back(
    site: Settings, versions: Versions, publish_it: Callable[[], Version]
) -> None:
    first = publish_it()
    good = read(site.knowledge)
    shutil.rmtree(site.knowledge)
    assert roll_back(site.knowledge, versions, first, by="李四", note="", at=AT)[1] is None
    assert read(site.knowledge) == good
