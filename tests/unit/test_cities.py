"""What holds in one city: its bins and answers, whose rule an answer tells, and what its file still lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import FaultyFile
from bot.kb import cities
from bot.kb.entries import Item
from bot.kb.load import Knowledge, load
from tests.unit import small_kb

MakeKnowledge = Callable[..., Knowledge]

SOURCES = (
    small_kb.FILES["sources.yaml"]
    + "沪: {name: 上海条例, date: 2019-07-01, mark: A, city: shanghai}\n"
    + "沪册: {name: 上海手册, date: 2019-07-01, mark: C, city: shanghai}\n"
)
ITEMS = """\
source: 沪册
review_by: 2027-06-30
items:
  - {name: 奶茶杯, category: residual}
  - {name: 干电池, category: residual, reason: 不属有害, prepare: 装小袋投干垃圾, cities: {beijing: hazardous}}
  - {name: 碱性电池, category: residual, cities: {beijing: hazardous}}
  - {name: 玉米棒, category: food, source: 源, disputed: 有的城市算干垃圾}
  - {name: 灯管, category: hazardous, danger: mercury}
"""
BASE = small_kb.CITY.replace("label: residual", "label: 其他垃圾")
SHANGHAI = BASE.replace("national", "shanghai").replace("全国", "上海").replace("其他垃圾", "干垃圾")
BEIJING = BASE.replace("national", "beijing").replace("全国", "北京")
ENTRY = "  - {id: what, ask: [罚多少], answer: 短。, source: 源, review_by: 2027-06-30}\n"


@pytest.fixture
def make(tmp_path: Path) -> MakeKnowledge:
    """The small knowledge in three cities; `national`, `beijing`: added to their files; `entry`: of topic noise."""

    def made(*, national: str = "", beijing: str = "", entry: str = ENTRY, **files: str) -> Knowledge:
        changed = {
            "sources": SOURCES,
            "items__all": ITEMS,
            "topics__noise": "topic: noise\nentries:\n" + entry,
            "cities__national": BASE + national,
            "cities__shanghai": SHANGHAI,
            "cities__beijing": BEIJING + beijing,
        }
        return load(small_kb.write(tmp_path, **{**changed, **files}))

    return made


def told(knowledge: Knowledge, name: str, city: str) -> Item:
    found = next(item for item in knowledge.items if item.name == name)
    chosen = cities.chosen_city(city, knowledge)
    return cities.item_in_city(found, chosen, cities.own_names(chosen, knowledge))


@pytest.mark.parametrize(
    ("city", "category", "reason"),
    [
        pytest.param("shanghai", "residual", "不属有害", id="as-it-stands"),
        pytest.param("beijing", "hazardous", "", id="another-bin-has-another-reason"),
        pytest.param("kunming", "residual", "不属有害", id="an-unknown-city-as-the-nation"),
    ],
)
def test_bins_of_a_city(make: MakeKnowledge, city: str, category: str, reason: str) -> None:
    item = told(make(), "干电池", city)
    assert (item.category, item.reason) == (category, reason)


def test_a_city_s_file_gives_bins(make: MakeKnowledge) -> None:
    knowledge = make(national="items: {hazardous: [奶茶杯]}\n")
    assert told(knowledge, "奶茶杯", "kunming").category == "hazardous"
    assert told(knowledge, "奶茶杯", "beijing").category == "residual"


@pytest.mark.parametrize(
    ("city", "prepare"),
    [pytest.param("shanghai", "装小袋投干垃圾", id="own"), pytest.param("kunming", "装小袋投其他垃圾", id="nation")],
)
def test_bins_are_called_as_in_the_city(make: MakeKnowledge, city: str, prepare: str) -> None:
    assert told(make(), "干电池", city).prepare == prepare


def test_what_tells_of_other_cities_keeps_their_names(make: MakeKnowledge) -> None:
    assert told(make(), "玉米棒", "kunming").disputed == "有的城市算干垃圾"


LAW = "  - {id: what, ask: [罚多少, 罚款多少], answer: ANSWER, source: SOURCE, review_by: 2027-06-30OWN}\n"
VARIED = ", cities: {beijing: {answer: 京}, guangzhou: {answer: 穗}}"


@pytest.mark.parametrize(
    ("answer", "source", "own", "city"),
    [
        pytest.param("罚50–200元。", "沪", "", "shanghai", id="an-amount-of-a-city-s-law"),
        pytest.param("罚100元。", "源", "", "", id="an-amount-of-the-nation-s-law"),
        pytest.param("要破袋。", "沪", "", "", id="no-rule-though-a-city-s-book-says-it"),
        pytest.param("棕桶。", "沪", VARIED, "shanghai", id="several-cities-differ"),
        pytest.param("蓝桶。", "沪", ", cities: {beijing: {answer: 京}}", "", id="one-city-is-the-exception"),
        pytest.param("在上海要分。", "源", "", "shanghai", id="names-one-city"),
        pytest.param("上海、北京都要分。", "沪", VARIED, "", id="compares-cities"),
    ],
)
def test_whose_rule_it_is(make: MakeKnowledge, answer: str, source: str, own: str, city: str) -> None:
    knowledge = make(entry=LAW.replace("ANSWER", answer).replace("SOURCE", source).replace("OWN", own))
    entry = next(entry for slug, entry in knowledge.entries() if slug == "noise")
    assert cities.told_of(entry, knowledge.sources, knowledge.cities) == city


def test_a_city_may_be_asked_for_by_name(make: MakeKnowledge) -> None:
    knowledge = make(
        entry=LAW.replace("ANSWER", "北京分四类。")
        .replace("SOURCE", "源")
        .replace("罚款多少", "北京怎么分")
        .replace("OWN", "")
    )
    entry = next(entry for slug, entry in knowledge.entries() if slug == "noise")
    assert cities.told_of(entry, knowledge.sources, knowledge.cities) == ""


FINE = "  - {id: what, ask: [罚多少], answer: 罚50元。, detail: 细则, source: 沪, review_by: 2027-06-30OWN}\n"


@pytest.mark.parametrize(
    ("city", "own", "files", "answer", "foreign"),
    [
        pytest.param("shanghai", "", {}, "罚50元。", "", id="its-own-rule"),
        pytest.param("kunming", "", {}, "罚50元。", "上海", id="another-city-s"),
        pytest.param("beijing", ", cities: {beijing: {answer: 先劝。}}", {}, "先劝。", "", id="an-answer-at-the-entry"),
        pytest.param(
            "beijing", "", {"beijing": "answers: {noise/what: {answer: 先劝。}}\n"}, "先劝。", "", id="in-its-file"
        ),
        pytest.param(
            "beijing",
            "",
            {"national": "answers: {noise/what: {answer: 看本地。}}\n"},
            "看本地。",
            "",
            id="the-nation-s",
        ),
        pytest.param(
            "beijing", ", cities: {national: {answer: 看本地。}}", {}, "看本地。", "", id="the-nation-s-at-the-entry"
        ),
        pytest.param(
            "shanghai", ", cities: {national: {answer: 看本地。}}", {}, "罚50元。", "", id="not-where-it-is-the-rule"
        ),
    ],
)
def test_answers_of_a_city(
    make: MakeKnowledge, city: str, own: str, files: dict[str, str], answer: str, foreign: str
) -> None:
    knowledge = make(entry=FINE.replace("OWN", own), **files)
    entry = next(entry for slug, entry in knowledge.entries() if slug == "noise")
    found, other = cities.entry_in_city("noise", entry, cities.chosen_city(city, knowledge), knowledge)
    assert (found.answer, other) == (answer, foreign)
    assert found.detail == ("细则" if answer == "罚50元。" else ""), "the detail of another city's rule is not told"


def lacks(knowledge: Knowledge, city: str) -> list[str]:
    return [what for slug, _, what, _ in cities.lacking(knowledge) if slug == city]


def test_a_city_that_lacks_nothing(make: MakeKnowledge) -> None:
    assert lacks(make(), "beijing") == []
    assert lacks(make(), "shanghai") == [], "its own book sorts the items"


@pytest.mark.parametrize(
    ("files", "city", "said"),
    [
        pytest.param({}, "national", "cities differ on 干电池、碱性电池", id="bins"),
        pytest.param({"entry": FINE.replace("OWN", "")}, "beijing", "no rules (噪声) of its own", id="rules"),
        pytest.param(
            {
                "topics__sort_penalty": "topic: sort_penalty\nentries:\n"
                + FINE.replace("OWN", "").replace("罚多少", "怎么罚")
            },
            "national",
            "no fines of its own",
            id="fines",
        ),
        pytest.param({"cities__beijing": BEIJING.replace("contacts:", "# ")}, "beijing", "names no phone", id="phone"),
        pytest.param(
            {"cities__beijing": BEIJING.replace("food, colour: 蓝色", "food")},
            "beijing",
            "no colour of food",
            id="colour",
        ),
        pytest.param(
            {"cities__beijing": BEIJING.replace("oil, colour: 蓝色, prepare: 轻放", "oil")},
            "beijing",
            "not say how oil is put out",
            id="prepare",
        ),
    ],
)
def test_what_a_city_lacks(make: MakeKnowledge, files: dict[str, str], city: str, said: str) -> None:
    found = lacks(make(**files), city)
    assert len(found) == (2 if city == "national" and "differ" not in said else 1)
    assert any(said in what for what in found)


def test_a_city_says_that_it_sorts_as_all(make: MakeKnowledge) -> None:
    assert lacks(make(national="items: {residual: [干电池, 碱性电池]}\n"), "national") == []


def test_a_new_city_is_one_file(make: MakeKnowledge) -> None:
    text = SHANGHAI.replace("shanghai", "kunming").replace("上海", "昆明").replace("source: 源", "source: 昆")
    text += "sources: {昆: {name: 昆明条例, date: 2021-01-01, mark: A}}\n"
    text += "items: {hazardous: [干电池, 碱性电池]}\nanswers: {noise/what: {answer: 罚20元。, source: 昆}}\n"
    knowledge = make(entry=FINE.replace("OWN", ""), cities__kunming=text)
    assert lacks(knowledge, "kunming") == []
    assert knowledge.sources["昆"].city == "kunming"


@pytest.mark.parametrize(
    ("beijing", "said"),
    [
        pytest.param("items: {food: [没有的]}\n", "'没有的' is no item", id="no-item"),
        pytest.param("items: {food: [干电池]}\n", "the bin of '干电池' stands twice", id="also-at-the-item"),
        pytest.param("items: {food: [奶茶杯], oil: [奶茶杯]}\n", "the bin of '奶茶杯' stands twice", id="in-two-bins"),
        pytest.param("answers: {noise/no: {answer: 短。}}\n", "'noise/no' is no entry", id="no-entry"),
        pytest.param(
            "answers: {noise/what: {answer: 短。, source: 无}}\n", "source of 'noise/what' is '无'", id="no-source"
        ),
        pytest.param("answers: {noise/what: {answer: '{bin}'}}\n", "unknown placeholder {bin}", id="placeholder"),
        pytest.param(
            "sources: {源: {name: 甲, date: 2021-01-01, mark: A}}\n", "source '源' stands twice", id="source-twice"
        ),
    ],
)
def test_faults_of_a_city_s_file(make: MakeKnowledge, beijing: str, said: str) -> None:
    with pytest.raises(FaultyFile) as refused:
        make(beijing=beijing)
    (fault,) = refused.value.faults
    assert fault.file == "kb/cities/beijing.yaml"
    assert fault.line > len(BEIJING.splitlines())
    assert said in fault.what


def test_an_answer_at_the_entry_is_not_repeated(make: MakeKnowledge) -> None:
    with pytest.raises(FaultyFile, match="the answer of 'noise/what' stands twice"):
        make(
            entry=FINE.replace("OWN", ", cities: {beijing: {answer: 先劝。}}"),
            beijing="answers: {noise/what: {answer: 短。}}\n",
        )
