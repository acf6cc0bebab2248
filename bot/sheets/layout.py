"""Which sheets there are, what their columns hold, and where each row stands in the knowledge folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, get_args

from bot.kb.entries import Category, City
from bot.kb.load import Knowledge
from bot.kb.slugs import FACILITY_KINDS, TOPIC_NAMES
from bot.sheets.cells import Choice, Closed, Day, Kind, Line, Number, OpeningHours, Words
from bot.strict_yaml import Document, Place

ID, DELETE = "编号", "删除"
OWN_ITEMS = "items/own.yaml"
"""Where new items go that name no file."""

MOST_OPTIONS = 5

_FACILITY_NAMES = (
    "废电池回收箱", "生活垃圾投放点", "误时投放点", "大件堆放点", "装修垃圾堆放点", "旧衣回收箱", "有害垃圾桶",
    "过期药收集箱", "集油杯和废油回收", "可回收物服务点", "电动车电池回收", "积分兑换",
)  # fmt: skip
_LOCAL_NAMES = {
    "facility": "设施", "times": "投放时间", "late_drop": "误时投放", "contacts": "联系人", "activities": "活动",
    "schedule": "养护日程",
}  # fmt: skip
_MARKS = {"A": "A 法规原文", "B": "B 政府网页或报道", "C": "C 一般常识"}


@dataclass(frozen=True, slots=True)
class Record:
    """One row's record: what identifies it, the file and the place in it, its value, and what the file says for all."""

    id: str
    file: str
    place: Place
    value: Mapping[str, Any]
    shared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `path`: where its value stands in the record; `show`: how what cannot be changed here is found out."""

    header: str
    kind: Kind
    path: Place = ()
    width: int = 16
    required: bool = False
    new_only: bool = False
    """It can be filled in a new row, and not be changed afterwards."""
    default: Any = None
    """What it means when nothing stands there."""
    show: Callable[[Record], str] | None = None
    unique: bool = False
    """No word in it may stand in another row, in this or another such column."""

    @property
    def locked(self) -> bool:
        """Whether it may not be changed in rows that are there."""
        return self.new_only or self.show is not None

    def value(self, record: Record) -> Any:
        """What holds for the record, be it said there or for the whole file."""
        found = self.own(record)
        if found is None:
            found = self.shared(record)
        return self.default if found is None else found

    def shared(self, record: Record) -> Any:
        """What the file says for all its records; None where it says nothing."""
        return record.shared.get(str(self.path[0])) if len(self.path) == 1 else None

    def own(self, record: Record) -> Any:
        """What the record itself says; None where it says nothing."""
        value: Any = record.value
        for key in self.path:
            if isinstance(key, int):
                value = value[key] if value is not None and key < len(value) else None
            else:
                value = value.get(key) if value is not None else None
        return value

    def text(self, record: Record) -> str:
        """Its cell."""
        return self.show(record) if self.show else self.kind.show(self.value(record))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a new row goes: to the end of a list in a file, and what its record begins with."""

    file: str
    place: Place
    begins: Mapping[str, Any]


Finding = Callable[[Mapping[str, Any], Mapping[str, Document]], Spot]
"""The values of a new row by header, and the folder → where it goes."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of the workbook; `note`: what stands in it, for staff."""

    title: str
    columns: tuple[Column, ...]
    records: Callable[[Mapping[str, Document]], Iterator[Record]]
    note: str
    spot: Finding | None = None
    """Where new rows go; None: rows are neither added nor deleted."""

    @property
    def adds(self) -> bool:
        """Whether rows may be added and deleted."""
        return self.spot is not None

    def column(self, header: str) -> Column | None:
        """The column of that header."""
        return next((column for column in self.columns if column.header == header), None)


def sheets(knowledge: Knowledge, city: str) -> tuple[Sheet, ...]:
    """Every sheet, for a site in a city."""
    own = knowledge.cities.get(city) or knowledge.cities["national"]
    bins = _bins(knowledge, own)
    topics = Choice({topic.topic: _topic(topic.topic) for topic in knowledge.topics}, "话题")
    sources = Choice({code: code for code in knowledge.sources}, "来源（sources.yaml 里的简称）")
    def placed(title: str, part: str, columns: tuple[Column, ...], note: str) -> Sheet:
        return Sheet(title, columns, partial(_in_places, part), note, partial(_place_spot, part))

    return (
        Sheet("物品", _item_columns(knowledge, own, bins, topics, sources), _items, "什么东西进哪个桶", _item_spot),
        Sheet("问答", _entry_columns(own, topics, sources), _entries, "其他问题：问法和答复", _entry_spot),
        Sheet("反问", _choice_columns(bins), _choices, "一个词有几种意思时，先问清是哪一种", _choice_spot),
        placed("设施", "facilities", _facility_columns(knowledge), "回收箱、投放点、堆放点"),
        placed("联系人", "contacts", _contact_columns(knowledge), "电话和办公时间"),
        placed("活动", "activities", _happening_columns(knowledge), "社区活动"),
        placed("养护日程", "schedule", _happening_columns(knowledge), "修剪、打药的日程"),
        Sheet("地点", _place_columns(), _places, "户数、人数和对应的群"),
    )


def _bins(knowledge: Knowledge, own: City) -> Choice:
    """The bins by the city's names; other cities' names are understood where they mean one bin."""
    labels = {name: own.categories[name].label for name in get_args(Category)}
    named: dict[str, set[str]] = {}
    for city in knowledge.cities.values():
        for name, told in city.categories.items():
            named.setdefault(told.label, set()).add(name)
    also = {label: next(iter(names)) for label, names in named.items() if len(names) == 1}
    return Choice(labels, "类别", also)


def _topic(slug: str) -> str:
    return TOPIC_NAMES.get(slug, slug)


def _item_columns(
    knowledge: Knowledge, own: City, bins: Choice, topics: Choice, sources: Choice
) -> tuple[Column, ...]:
    items = {item.name: item for item in knowledge.items}

    def here(record: Record) -> str:
        """The bin in the site's city, where it is another one than elsewhere."""
        item = items.get(record.id)
        return bins.show(own.bin_of(item)) if item else ""

    line = Line()
    dangers = Choice({key: key for key in knowledge.dangers}, "危险提示（dangers.yaml 里的名字）")
    return (
        Column(ID, line, width=14, show=lambda record: record.id),
        Column("名称", line, ("name",), 18, required=True, unique=True),
        Column("类别", bins, ("category",), 14, required=True),
        Column("本市另归", line, width=12, show=here),
        Column("别名", Words(), ("aliases",), 36, unique=True),
        Column("怎么投放", line, ("prepare",), 36),
        Column("理由", line, ("reason",), 24),
        Column("说法不一", line, ("disputed",), 24),
        Column("话题", topics, ("topic",), 18),
        Column("危险提示", dangers, ("danger",), 16),
        Column("来源", sources, ("source",), 12, required=True),
        *_dates(),
        _file_column(Choice({name: name for name in _item_files(knowledge)} | {OWN_ITEMS: OWN_ITEMS}, "物品文件")),
    )


def _item_files(knowledge: Knowledge) -> list[str]:
    """The files under items/, from the folder."""
    shown = {file for name, (file, _) in knowledge.lines.items() if name.startswith("items/")}
    return sorted(file.partition("/")[2] for file in shown)


def _entry_columns(own: City, topics: Choice, sources: Choice) -> tuple[Column, ...]:
    def here(record: Record) -> str:
        told = (record.value.get("cities") or {}).get(own.city)
        if told:
            return str(told["answer"])
        return own.answers[record.id].answer if record.id in own.answers else ""

    def local(record: Record) -> str:
        return "；".join(
            f"{_LOCAL_NAMES[key]}：{value}" if key == "facility" else _LOCAL_NAMES[key]
            for key, value in (record.value.get("local") or {}).items()
        )

    line = Line()
    return (
        Column(ID, line, width=26, show=lambda record: record.id),
        Column("话题", topics, width=18, required=True, new_only=True, show=lambda r: topics.show(r.id.split("/")[0])),
        Column("问法", Words(enumerated=False), ("ask",), 50, required=True, unique=True),
        Column("答复", Line(long=True), ("answer",), 60),
        Column("本市答复", line, width=30, show=here),
        Column("本地信息", line, width=18, show=local),
        Column("详细", Line(long=True), ("detail",), 40),
        Column("来源", sources, ("source",), 12),
        Column("条款", line, ("article",), 12),
        Column("依据级别", Choice(_MARKS, "依据级别"), ("mark",), 14, required=True, default="B"),
        *_dates(),
        _file_column(None),
    )


def _choice_columns(bins: Choice) -> tuple[Column, ...]:
    line = Line()
    options: list[Column] = []
    for n in range(MOST_OPTIONS):
        path: Place = ("options", n)
        options += [
            Column(f"选项{n + 1}", line, (*path, "label"), 20, required=n < 2),
            Column(f"选项{n + 1}物品", line, (*path, "item"), 16),
            Column(f"选项{n + 1}类别", bins, (*path, "category"), 14),
        ]
    return (
        Column(ID, line, width=12, show=lambda record: record.id),
        Column("词", line, ("word",), 12, required=True, unique=True),
        Column("也叫", Words(), ("also",), 30, unique=True),
        Column("反问", line, ("question",), 26, required=True),
        *options,
    )


def _facility_columns(knowledge: Knowledge) -> tuple[Column, ...]:
    line = Line()
    names = dict(zip(FACILITY_KINDS, _FACILITY_NAMES, strict=True))
    others = {facility.kind for place in knowledge.places.walk() for facility in place.facilities} - names.keys()
    kinds = Choice(names | {kind: kind for kind in sorted(others)}, "设施种类")
    return (
        Column(ID, line, width=26, show=lambda record: record.id),
        _place_column(knowledge),
        Column("种类", kinds, ("kind",), 18, required=True),
        Column("名称", line, ("name",), 24, required=True),
        Column("位置", line, ("place",), 24, required=True),
        Column("时间", OpeningHours(), ("hours",), 36),
        Column("时间说明", line, ("when",), 20),
        Column("停用日子", Closed(), ("closed",), 30),
        Column("收什么", line, ("takes",), 40),
        Column("联系人", line, ("contact",), 18),
        Column("照片", line, ("photo",), 18),
        Column("备注", line, ("note",), 24),
    )


def _contact_columns(knowledge: Knowledge) -> tuple[Column, ...]:
    line = Line()
    return (
        Column(ID, line, width=26, show=lambda record: record.id),
        _place_column(knowledge),
        Column("名称", line, ("name",), 24, required=True),
        Column("电话", line, ("phone",), 22),
        Column("位置", line, ("place",), 24),
        Column("时间", OpeningHours(), ("hours",), 36),
        Column("时间说明", line, ("when",), 20),
        Column("管什么", Words(), ("for",), 36),
    )


def _happening_columns(knowledge: Knowledge) -> tuple[Column, ...]:
    line = Line()
    return (
        Column(ID, line, width=26, show=lambda record: record.id),
        _place_column(knowledge),
        Column("名称", line, ("name",), 30, required=True),
        Column("什么时候", line, ("at",), 20, required=True),
        Column("在哪里", line, ("place",), 30),
        Column("备注", line, ("note",), 30),
    )


def _place_columns() -> tuple[Column, ...]:
    line = Line()
    return (
        Column(ID, line, width=18, show=lambda record: record.id),
        Column("名称", line, ("name",), 24, required=True),
        Column("户数", Number(), ("households",), 10),
        Column("人数", Number(), ("residents",), 10),
        Column("介绍", line, ("about",), 40),
        Column("对应的群", Words(), ("chats",), 30),
    )


def _dates() -> tuple[Column, ...]:
    return (
        Column("生效", Day(), ("valid_from",), 12),
        Column("失效", Day(), ("valid_to",), 12),
        Column("复核", Day(), ("review_by",), 12),
    )


def _file_column(files: Choice | None) -> Column:
    return Column("文件", files or Line(), width=22, new_only=files is not None, show=lambda record: record.file)


def _place_column(knowledge: Knowledge) -> Column:
    """Which place of the tree the row belongs to; names repeat, so the id stands beside."""
    places = Choice({place.id: f"{place.name} {place.id}" for place in knowledge.places.walk()}, "地点")
    return Column(
        "地点", places, width=26, required=True, new_only=True, show=lambda record: places.show(record.id.split("/")[0])
    )


def _inside(documents: Mapping[str, Document], folder: str) -> Iterator[tuple[str, Any]]:
    for name, document in documents.items():
        if name.startswith(f"{folder}/"):
            yield name, document.value


def _items(documents: Mapping[str, Document]) -> Iterator[Record]:
    for file, value in _inside(documents, "items"):
        for n, item in enumerate(value["items"]):
            yield Record(item["name"], file, ("items", n), item, value)


def _entries(documents: Mapping[str, Document]) -> Iterator[Record]:
    for file, value in _inside(documents, "topics"):
        for n, entry in enumerate(value["entries"]):
            yield Record(f"{value['topic']}/{entry['id']}", file, ("entries", n), entry, {})


def _choices(documents: Mapping[str, Document]) -> Iterator[Record]:
    for n, choice in enumerate(documents["choices.yaml"].value):
        yield Record(choice["word"], "choices.yaml", (n,), choice, {})


def _places(documents: Mapping[str, Document]) -> Iterator[Record]:
    for at, place in _walk(documents["places.yaml"].value):
        yield Record(place["id"], "places.yaml", at, place, {})


def _in_places(part: str, documents: Mapping[str, Document]) -> Iterator[Record]:
    """What stands in a list of every place; the id counts what is called alike."""
    for at, place in _walk(documents["places.yaml"].value):
        seen: Counter[str] = Counter()
        for n, one in enumerate(place.get(part) or ()):
            name = one.get("kind") or one["name"]
            seen[name] += 1
            number = f"#{seen[name]}" if seen[name] > 1 else ""
            yield Record(f"{place['id']}/{name}{number}", "places.yaml", (*at, part, n), one, {})


def _walk(place: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield at, place
    for n, child in enumerate(place.get("children") or ()):
        yield from _walk(child, (*at, "children", n))


def _item_spot(values: Mapping[str, Any], documents: Mapping[str, Document]) -> Spot:
    return Spot(values.get("文件") or OWN_ITEMS, ("items",), {})


def _entry_spot(values: Mapping[str, Any], documents: Mapping[str, Document]) -> Spot:
    file = f"topics/{values['话题']}.yaml"
    taken = {entry["id"] for entry in documents[file].value["entries"]}
    name = next(name for n in count(1) if (name := f"own_{n}") not in taken)
    return Spot(file, ("entries",), {"id": name})


def _choice_spot(values: Mapping[str, Any], documents: Mapping[str, Document]) -> Spot:
    return Spot("choices.yaml", (), {})


def _place_spot(part: str, values: Mapping[str, Any], documents: Mapping[str, Document]) -> Spot:
    at = next(at for at, place in _walk(documents["places.yaml"].value) if place["id"] == values["地点"])
    return Spot("places.yaml", (*at, part), {})
