"""Answers as a resident reads them: on a phone, in plain words, with a next step, without what only the site knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from bot import strict_yaml
from bot.kb.entries import Entry
from bot.kb.lint.base import Finding, Linting, texts_of
from bot.kb.lint.language import HARD, NAMES_ON_SIGNS, NEXT_STEP

LONGEST_ANSWER = 160
"""Characters of an answer a resident still reads."""
LONGEST_DETAIL = 400
"""Characters behind 「详细」."""
LONGEST_OPTION = 20
"""Characters of a case that is offered: one line of a phone."""

PUBLIC_NUMBERS = frozenset(
    """110 114 119 120 122 12301 12305 12306 12309 12313 12315 12318 12319 12320 12321 12328 12329 12333 12337 12338
12345 12348 12350 12355 12356 12358 12361 12363 12365 12366 12367 12368 12369 12371 12377 12378 12380 12381 12385 12388
12389 12393 12395 95598""".split()
)
"""Numbers that are the same everywhere, and may stand in an answer."""

_PHONE = re.compile(
    r"(?<![\d.,–-])(1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|[48]00[- ]?\d{3}[- ]?\d{4}|[2-8]\d{6,7})"
    r"(?![\d.,–-]|\s*[元年个米升户人次])"
    r"|(?:打|拨|电话|热线|咨询)[：:]? ?(\d{3,6})(?![\d-])"
)
_TITLE = re.compile(r"《[^》]*》|GB/?T? ?\d+[-–]?\d*")
"""Names of rules, whose numbers are no phones."""
_OPENING = re.compile(
    r"每?(?:周|星期|礼拜)[一二三四五六日天][^。；]{0,8}(?:开放|开门|清运|来收|上门收|办公|投放|上午|下午)"
    r"|\d{1,2}(?:[:：]\d{2}|点半?)[^。；]{0,8}(?:开放|开门|关门|营业|办公|上班|下班|清运|来收|投放)"
    r"|(?:开放|营业|办公|投放|清运)(?:时间)?[^。；]{0,6}\d{1,2}(?:[:：]\d{2}|点)"
)
_SPOT = re.compile(r"\d+ ?(?:号楼|幢|弄)|(?:小区|社区)?[东南西北]大?门(?:口|外|旁|边|岗)")
_PRICE = re.compile(r"\d+(?:\.\d+)?(?:元|块钱)")
_OF_THE_LAW = re.compile(r"罚|条例|规定|法律|第[\d一二三四五六七八九十百]+条|押金|补贴")
_DAY = re.compile(r"(20\d\d)[年-](\d{1,2})[月-](\d{1,2})")


def check_answers(linting: Linting) -> Iterator[Finding]:
    """Too long, no next step, hard words, and facts that belong into places.yaml."""
    for file, n, _, entry in linting.entries():
        for at, city, text in texts_of(entry):
            place = ("entries", n, *at)
            of = f"of '{entry.id}'{f' for {city}' if city else ''}"
            yield from _length(linting, file, place, of, text)
            yield from _next_step(linting, file, place, of, text)
            yield from _hard_words(linting, file, place, of, text)
            yield from _local_facts(linting, file, place, of, text, entry)
        if len(entry.detail) > LONGEST_DETAIL:
            what = f"the detail of '{entry.id}' has {len(entry.detail)} characters"
            yield linting.finding("too-long", file, ("entries", n, "detail"), what, f"keep to {LONGEST_DETAIL}")
    yield from _dangers(linting)
    yield from _options(linting)


def _length(linting: Linting, file: str, at: strict_yaml.Place, of: str, text: str) -> Iterator[Finding]:
    if len(text) > LONGEST_ANSWER:
        what = f"the answer {of} has {len(text)} characters"
        yield linting.finding("too-long", file, at, what, f"keep to {LONGEST_ANSWER}; put the rest under detail")


def _next_step(linting: Linting, file: str, at: strict_yaml.Place, of: str, text: str) -> Iterator[Finding]:
    if not NEXT_STEP.search(text):
        mend = "say what to do, or whom to ask ({contact})"
        yield linting.finding("no-next-step", file, at, f"the answer {of} names no next step", mend)


def _hard_words(linting: Linting, file: str, at: strict_yaml.Place, of: str, text: str) -> Iterator[Finding]:
    bare = NAMES_ON_SIGNS.sub("", _TITLE.sub("", text))
    if found := [word for word in HARD if word in bare]:
        what = f"the answer {of} uses {'、'.join(found)}"
        mend = "write plainly: " + "; ".join(f"{word} → {HARD[word]}" for word in found)
        yield linting.finding("hard-words", file, at, what, mend)


def _local_facts(
    linting: Linting, file: str, at: strict_yaml.Place, of: str, text: str, entry: Entry
) -> Iterator[Finding]:
    bare = _TITLE.sub("", text)
    numbers = (long or short for long, short in _PHONE.findall(bare))
    found = [("the phone number", number) for number in numbers if number not in PUBLIC_NUMBERS]
    found += [("the opening time", told) for told in _OPENING.findall(bare)]
    found += [("the place", told) for told in _SPOT.findall(bare)]
    if not _OF_THE_LAW.search(bare):
        found += [("the price", told) for told in _PRICE.findall(bare)]
    for kind, told in found:
        mend = "register it in places.yaml and tell it by local:, or write {contact}"
        yield linting.finding("local-fact", file, at, f"the answer {of} names {kind} '{told}'", mend)
    if entry.valid_to is None:
        for told in _days_to_come(bare, linting.today):
            what = f"the answer {of} names the day {told}, which will pass"
            yield linting.finding("local-fact", file, at, what, "add valid_to:, or register it in places.yaml")


def _days_to_come(text: str, today: date) -> Iterator[str]:
    for found in _DAY.finditer(text):
        year, month, day = map(int, found.groups())
        if (year, month, day) >= (today.year, today.month, today.day):
            yield found[0]


def _dangers(linting: Linting) -> Iterator[Finding]:
    file = linting.file("dangers.yaml")
    for key, danger in linting.knowledge.dangers.items():
        if len(danger.text) > LONGEST_ANSWER:
            what = f"the text of danger '{key}' has {len(danger.text)} characters"
            yield linting.finding("too-long", file, (key, "text"), what, f"keep to {LONGEST_ANSWER}")


def _options(linting: Linting) -> Iterator[Finding]:
    file = linting.file("choices.yaml")
    for n, choice in enumerate(linting.knowledge.choices):
        for m, option in enumerate(choice.options):
            if len(option.label) > LONGEST_OPTION:
                what = f"option '{option.label}' of '{choice.word}' has {len(option.label)} characters"
                at = (n, "options", m, "label")
                yield linting.finding("too-long", file, at, what, f"keep to {LONGEST_OPTION}")
