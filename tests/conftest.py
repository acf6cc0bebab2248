"""What many tests need: a small knowledge of their own, the shipped one, a clock that stands still, people who talk."""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.assembly import all_handlers
from bot.brain import Brain, compiled
from bot.context import Context, GroupManners
from bot.kb.load import load
from bot.matching.index import compile_index
from bot.matching.understand import Thresholds, understand
from bot.records import ChatState, Delivery, Session, Turn, Utterance
from bot.router import Router
from bot.storage.contract import Store
from bot.storage.memory import MemoryStore
from bot.turns import Arrival, Chooser, Turns

SHIPPED = Path(__file__).parents[1] / "knowledge"
TODAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
SHANGHAI = ZoneInfo("Asia/Shanghai")

SMALL: Mapping[str, str] = {
    "sources.yaml": """\
指南: {name: 示例指南, date: 2019-07-01, mark: A}
条例: {name: 示例条例, date: 2022-06-05, mark: A}
常识: {name: 生活常识, date: 2024-01-01, mark: C}
社区答复: {name: 社区工作人员答复, date: 2026-11-25, mark: C}
""",
    "items/all.yaml": """\
source: 指南
review_by: 2027-06-30
items:
  - {name: 报纸, category: recyclable, aliases: [旧报纸]}
  - {name: 易拉罐, category: recyclable}
  - {name: 玻璃瓶, category: recyclable}
  - {name: 充电宝, category: recyclable}
  - {name: 纽扣电池, category: hazardous, aliases: [扣式电池], topic: battery_button_rechargeable}
  - {name: 锂电池, category: hazardous, danger: swollen}
  - {name: 鼓包锂电池, category: hazardous, aliases: [鼓包的锂电池], danger: swollen}
  - {name: 过期药, category: hazardous, aliases: [过期药片], prepare: 连内包装一起投, reason: 药品属于有害垃圾}
  - {name: 油漆桶, category: hazardous}
  - {name: 灯管, category: hazardous}
  - {name: 苹果核, category: food, aliases: [苹果芯]}
  - {name: 鱼骨头, category: food, aliases: [鱼骨]}
  - {name: 菜叶, category: food}
  - {name: 奶茶杯, category: residual, aliases: [奶茶塑料杯]}
  - {name: 大棒骨, category: residual, disputed: 各地归法不同}
  - {name: 5号电池, category: residual, aliases: [干电池], cities: {beijing: hazardous}}
  - {name: 陶瓷碗, category: residual}
  - {name: 口罩, category: residual, valid_to: 2026-11-30}
  - {name: 春联, category: recyclable, valid_from: 2026-12-02}
  - {name: 沙发, category: bulky, topic: bulky_waste}
  - {name: 砖头, category: construction}
  - {name: 冰箱, category: ewaste}
  - {name: 食用油, category: oil, topic: cooking_oil}
  - {name: 剩奶茶, category: drain}
""",
    "topics/cooking_oil.yaml": """\
topic: cooking_oil
entries:
  - id: pour
    ask: [废油倒哪里, 用过的食用油怎么处理, 炒菜剩油能倒水槽吗]
    answer: 少量用厨房纸吸干后投{food}，拿不准问{contact}。
    detail: 冷却后装瓶，投放点在{contact}。
    source: 指南
""",
    "topics/noise.yaml": """\
topic: noise
entries:
  - id: decorate
    ask: [装修几点要停, 装修噪声时间规定, 周末可以装修吗]
    answer: 工作日18时以后不装修。
    source: 条例
    article: 第六条
    cities: {beijing: {answer: 十二点到两点也不装修。, source: 指南}}
  - id: gone
    ask: [去年夜里能施工吗]
    answer: 已经过期的答复。
    source: 条例
    valid_to: 2026-11-30
  - id: soon
    ask: [明年禁鸣路段有哪些]
    answer: 还没有生效的答复。
    source: 条例
    valid_from: 2026-12-02
""",
    "topics/battery_button_rechargeable.yaml": """\
topic: battery_button_rechargeable
entries:
  - {id: button, ask: [纽扣电池两极要不要包胶带, 纽扣电池怎么收着], answer: 用胶带包住两极。, source: 常识, mark: C}
""",
    "topics/bulky_waste.yaml": """\
topic: bulky_waste
entries:
  - {id: how, ask: [大件垃圾怎么处理, 旧家具怎么办], answer: 预约上门，或搬到堆放点。, source: 指南}
""",
    "topics/battery_box_where.yaml": """\
topic: battery_box_where
entries:
  - {id: where, ask: [电池回收箱在哪里, 哪里有废电池箱], local: {facility: battery_box}}
""",
    "topics/facility_where.yaml": """\
topic: facility_where
entries:
  - {id: points, ask: [积分在哪里兑换, 积分兑换点在哪], local: {facility: points}}
""",
    "topics/sort_time_place.yaml": """\
topic: sort_time_place
entries:
  - {id: times, ask: [几点能扔垃圾, 垃圾房什么时候开门], local: {times: true}}
""",
    "topics/sort_late_drop.yaml": """\
topic: sort_late_drop
entries:
  - {id: late, ask: [过了时间垃圾放哪里, 误时投放点在哪], local: {late_drop: true}}
""",
    "topics/local_contact.yaml": """\
topic: local_contact
entries:
  - {id: phone, ask: [居委会电话多少, 物业电话是多少], local: {contacts: true}}
""",
    "topics/activity_when.yaml": """\
topic: activity_when
entries:
  - {id: soon, ask: [最近有什么活动, 环保活动什么时候], local: {activities: true}}
""",
    "topics/green_schedule.yaml": """\
topic: green_schedule
entries:
  - {id: trim, ask: [什么时候修剪树木, 打药是哪天], local: {schedule: true}}
""",
    "choices.yaml": """\
- word: 电池
  also: [旧电池]
  question: 您说的是哪种电池？
  options:
    - {label: 普通干电池（1、5、7号）, item: 5号电池}
    - {label: 纽扣电池, item: 纽扣电池}
    - {label: 充电锂电池, item: 锂电池}
    - {label: 鼓包的锂电池, item: 鼓包锂电池}
- word: 瓶子
  question: 您说的是哪种瓶子？
  options:
    - {label: 玻璃瓶, item: 玻璃瓶}
    - {label: 装过药水的瓶, category: hazardous}
- word: 充电宝
  question: 是什么样的充电宝？
  options:
    - {label: 完好的充电宝, item: 充电宝}
    - {label: 鼓包的充电宝, category: hazardous}
""",
    "inference.yaml": """\
heads:
  - {ends: [杯, 杯子], category: residual, unless: [玻璃]}
  - {ends: [纸], category: recyclable}
materials:
  - {category: recyclable, starts: [不锈钢]}
hazard: [农药, 油漆]
hazard_except: [油漆刷]
""",
    "dangers.yaml": """\
swollen:
  topic: battery_button_rechargeable
  text: 马上停用，别扎别压，联系{contact}。
  alert: true
  words: [鼓包, 冒烟]
  things: [锂电池, 充电宝]
paint:
  text: 盖紧盖子，别倒下水道，问{contact}。
  words: [打翻]
  things: [油漆]
""",
    "places.yaml": """\
id: street
name: 示例街道
kind: street
contacts:
  - {name: 街道窗口, phone: "000-1"}
children:
  - id: east
    name: 东社区
    kind: community
    contacts:
      - {name: 东社区居委会, phone: "000-2", when: 工作日}
    activities:
      - {name: 换绿植, at: "2026-12-05 09:00", place: 南门}
      - {name: 昨天的活动, at: "2026-11-30 09:00"}
    children:
      - id: east-estate
        name: 东小区
        kind: estate
        chats: [try/g1]
        facilities:
          - {kind: battery_box, name: 电池箱, place: 南门, hours: [{from: "00:00", to: "24:00"}]}
          - {kind: battery_box, name: 电池箱, place: 北门, hours: [{from: "00:00", to: "24:00"}]}
          - {kind: drop_point, name: 垃圾房, place: 2号楼旁, hours: [
              {days: workdays, from: "07:00", to: "09:00"}, {days: workdays, from: "18:00", to: "20:00"}]}
        schedule:
          - {name: 修剪, at: "2026-12-08 00:30", note: 绕行}
        children:
          - {id: east-1, name: 1号楼, kind: building, chats: [try/g1b]}
  - id: west
    name: 西社区
    kind: community
    children:
      - {id: west-estate, name: 西小区, kind: estate, chats: [try/g2]}
""",
    "cities/national.yaml": """\
city: national
name: 全国
standard: 标志
source: 指南
categories:
  recyclable: {label: 可回收物, colour: 蓝色, prepare: 清空压扁}
  hazardous: {label: 有害垃圾, colour: 红色, prepare: 轻放}
  food: {label: 厨余垃圾, colour: 绿色, prepare: 沥干}
  residual: {label: 其他垃圾, colour: 灰色, prepare: 扎口}
  bulky: {label: 大件垃圾, prepare: 预约回收}
  construction: {label: 装修垃圾, prepare: 装袋}
  ewaste: {label: 废旧电器, prepare: 不自己拆}
  oil: {label: 废食用油, prepare: 不倒下水道}
  drain: {label: 不进桶, prepare: 倒下水道}
""",
    "synonyms.yaml": """\
words: {哪能: 怎么, 掼: 扔, 辣圾: 垃圾, 钮扣: 纽扣}
fillers: [请问一下, 请问, 谢谢, 麻烦问下]
emoji: {🔋: 电池, 📰: 报纸}
""",
    "chatter.yaml": """\
lines: [早上好, 今天天气真好啊, 晚上一起吃饭吗, 快递到了谁去拿, 楼下谁的车挡路了,
  手机没电了借个充电器, 孩子今天考试怎么样]
""",
    "texts.yaml": """\
greeting: 您好，我是小绿。
help: 可以问我垃圾怎么分。
welcome: 欢迎，我是小绿。
out_of_scope: 这个我帮不上忙。
fallback: 这个我不确定，请联系{contact}。
not_registered: "{what}还没有登记，请问{contact}。"
clarify_tail: 请回复数字选择。
choice_out_of_range: 没有这个选项。
danger_alert: 有居民问到{what}。
staff_refused: 只有工作人员能用，请联系{contact}。
paused: 我先安静。
resumed: 我回来了。
privacy: 只保存问题和答复。
privacy_model: 说不清时问AI。
chosen_by_model: （AI协助匹配）
my_data: 这是您的记录。
my_data_private: 请私聊我。
forgotten: 已删除。
handoff: 已转工作人员{contact}。
mark_c: 以公示为准。
detail_hint: 回复「详细」看更多。
thanks: 不客气。
learned: "您问的「{question}」：{answer}"
learned_group: "有邻居问「{question}」：{answer}"
opted_out: 不再发消息。
opted_in: 恢复发消息。
inferred: 清单里没有「{name}」，推断是{label}。{how}。仅供参考。
inferred_hazard: 清单里没有「{name}」，先按{verdict}处理，问{contact}。
hazard_among: 有害的请轻放。
disputed: "{clause}，这里按{city}的标准。"
cases: "{word}要看是哪一种："
national_standard: 按全国标准。
foreign_rule: 这是{city}的规定。
open_until: 现在开着，到{time}
open_always: 全天开放
not_open_until: 现在关着{why}，{time}开
not_open: 现在关着{why}
staffed_until: 现在有人，到{time}
staffed_always: 全天有人
not_staffed_until: 现在没人{why}，{time}上班
not_staffed: 现在没人{why}
hours_unknown: 开放时间没有登记
by_notice: 以通知为准
reach: 可以联系{who}。
what_points: 积分兑换
what_battery_box: 电池回收箱
what_times: 投放时间和地点
what_late_drop: 误时投放点
what_contacts: 联系电话
what_activities: 近期活动
what_schedule: 养护安排
no_bin: 示例
what_drop_point: 示例
what_bulky: 示例
what_construction: 示例
what_clothes: 示例
what_hazardous: 示例
what_medicine: 示例
what_oil_cup: 示例
what_recyclables: 示例
what_ebike_battery: 示例
""",
}  # fmt: skip
_NATIONAL = SMALL["cities/national.yaml"]
_SHANGHAI = _NATIONAL.replace("city: national", "city: shanghai").replace("全国", "上海")
_SHANGHAI = _SHANGHAI.replace("厨余垃圾", "湿垃圾").replace("其他垃圾", "干垃圾").replace("绿色", "棕色")
_BEIJING = _NATIONAL.replace("city: national", "city: beijing").replace("全国", "北京")
CITIES = {"cities/shanghai.yaml": _SHANGHAI, "cities/beijing.yaml": _BEIJING}


def write_small(folder: Path, changed: Mapping[str, str] | None = None) -> Path:
    """Write the small knowledge, with some files changed, into `folder`; returns it."""
    for name, text in {**SMALL, **CITIES, **(changed or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@dataclass
class Clock:
    """A clock that stands still until it is told to go forward."""

    now: datetime = NOON

    def forward(self, **passed: float) -> None:
        """Let time pass: `minutes=10`, `seconds=59`."""
        self.now += timedelta(**passed)


@dataclass
class Talk:
    """People who talk to the bot; `alerted` names the places for which members of staff are alerted."""

    turns: Turns
    clock: Clock
    channel: str = "try"
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> Store:
        """Where the turns are kept."""
        return self.turns.store

    def utterance(self, text: str, **other: Any) -> Utterance:
        """What a channel would hand in; private and mentioned unless told otherwise."""
        told: dict[str, Any] = {
            "channel": self.channel,
            "message_id": f"m{next(self._numbers)}",
            "user": "u1",
            "chat": None,
            "session": "",
            "received_at": self.clock.now,
            **other,
        }
        told.setdefault("place", self.turns.brain().places.of_chat(told["channel"], told["chat"]))
        return Utterance(text=text, **told)

    async def say(self, text: str, *, arrival: Arrival | None = None, **other: Any) -> Turn:
        """Say something and get the turn."""
        return await self.turns.take(self.utterance(text, **other), arrival or Arrival())

    async def all_kept(self) -> list[Turn]:
        """Every turn kept so far."""
        return [turn async for turn in self.store.turns()]

    async def all_deliveries(self) -> list[Delivery]:
        """Every delivery queued so far."""
        return [delivery async for delivery in self.store.deliveries()]

    async def all_unanswered(self) -> list[str]:
        """Texts of the questions queued for staff."""
        return [cluster.text async for cluster in self.store.unanswered()]


MakeTalk = Callable[..., Talk]


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """What a command line set up is taken down again: its standard error is closed after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def clock() -> Clock:
    """Noon in Shanghai, standing still."""
    return Clock()


@pytest.fixture
async def memory() -> AsyncIterator[MemoryStore]:
    """An empty running store that keeps nothing."""
    store = MemoryStore()
    await store.start()
    yield store
    await store.stop()


def duty_officer(place: str) -> tuple[Delivery, ...]:
    """One member of staff is alerted everywhere."""
    return (Delivery("", "staffroom", None, "officer", place, ""),)


@pytest.fixture
def make_talk(memory: MemoryStore, clock: Clock, small: Brain) -> MakeTalk:
    """A function that seats people before the bot: on the small knowledge unless a Brain is given."""

    def make(
        brain: Brain | None = None,
        *,
        router: Router | None = None,
        limits: Thresholds | None = None,
        chooser: Chooser | None = None,
        **manners: Any,
    ) -> Talk:
        return Talk(
            Turns(
                store=memory,
                router=router or all_handlers(),
                brain=lambda: brain or small,
                limits=limits or Thresholds(),
                group=GroupManners(**manners),
                zone=SHANGHAI,
                alert_to=duty_officer,
                chooser=chooser,
            ),
            clock,
        )

    return make


@pytest.fixture
def talk(make_talk: MakeTalk) -> Talk:
    """People before the bot with the small knowledge."""
    return make_talk()


@pytest.fixture
def turns(talk: Talk) -> Turns:
    """What takes turns, on the small knowledge."""
    return talk.turns


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """The small knowledge as a folder of its own, to be changed."""
    return write_small(tmp_path / "small")


@pytest.fixture(scope="session")
def small_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Brain]:
    """The small knowledge, ready to answer, in a city."""
    folder = write_small(tmp_path_factory.mktemp("small"))
    return lru_cache(lambda city: Brain.of(compile_index(load(folder), city, TODAY)))


@pytest.fixture(scope="session")
def small(small_in: Callable[[str], Brain]) -> Brain:
    """The small knowledge in Shanghai."""
    return small_in("shanghai")


@pytest.fixture(scope="session")
def shipped_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Brain]:
    """The shipped knowledge, ready to answer, in a city; compiled once a run, for all processes that test."""
    keep_in = tmp_path_factory.getbasetemp().parent / "compiled"
    return lru_cache(lambda city: Brain.of(compiled(SHIPPED, keep_in, city, TODAY)))


@pytest.fixture(scope="session")
def shipped(shipped_in: Callable[[str], Brain]) -> Brain:
    """The shipped knowledge in Shanghai."""
    return shipped_in("shanghai")


@pytest.fixture
def context(memory: MemoryStore, small: Brain) -> Callable[..., Context]:
    """A function that gives what a handler is given, for a text."""

    def make(
        text: str = "",
        *,
        brain: Brain | None = None,
        session: Session | None = None,
        chat: ChatState | None = None,
        now: datetime = NOON,
        **manners: Any,
    ) -> Context:
        known = brain or small
        understood = understand(text, known.index, about=session.topic if session else "")
        return Context(known, understood, session, chat, now, SHANGHAI, Thresholds(), GroupManners(**manners), memory)

    return make
