"""A message's segments → the things named in it."""

from __future__ import annotations

import pytest

from bot.kb.entries import Choice, ChoiceOption, Item
from bot.matching.fold import Fold
from bot.matching.lexicon import Lexicon, compile_words
from bot.matching.parse import Parse, parse

NAMES = """报纸 纸箱 快递盒 易拉罐 玻璃瓶 牛奶盒 旧衣服 毛衣 纽扣电池 充电宝 灯管 过期药 油漆桶 杀虫剂 水银温度计 指甲油
苹果核 香蕉皮 菜叶 鱼骨头 剩饭 茶叶渣 蛋壳 花生壳 奶茶杯 大棒骨 尿不湿 湿纸巾 陶瓷碗 牙刷 口罩 烟头 猫砂 沙发 床垫 衣柜
砖头 冰箱 电饭煲 食用油 剩汤 壳 锅 粉笔 虾壳 保温杯 粽叶 珍珠""".split()
ITEMS = [Item(name=name, category="residual") for name in NAMES]
CHOICES = [
    Choice(
        word=word,
        question="哪种？",
        options=(ChoiceOption(label="甲", category="residual"), ChoiceOption(label="乙", category="hazardous")),
    )
    for word in ("电池", "瓶子", "骨头")
]
LEXICON = Lexicon(compile_words(ITEMS, CHOICES), ITEMS.__getitem__, CHOICES)
FOLD = Fold({}, {}, ("请问", "谢谢"))


def parsed(text: str) -> Parse:
    return parse(FOLD(text).segments, LEXICON)


@pytest.mark.parametrize(
    ("text", "nouns"),
    [
        pytest.param("报纸", ["报纸"], id="bare"),
        pytest.param("纸箱扔哪个桶", ["纸箱"], id="which-bin"),
        pytest.param("快递盒属于什么垃圾", ["快递盒"], id="belongs-to"),
        pytest.param("易拉罐算可回收吗", ["易拉罐"], id="is-it-recyclable"),
        pytest.param("玻璃瓶是干垃圾还是可回收", ["玻璃瓶"], id="this-or-that"),
        pytest.param("请问牛奶盒怎么分类", ["牛奶盒"], id="polite"),
        pytest.param("我家的旧衣服要怎么处理", ["旧衣服"], id="my-family's"),
        pytest.param("不穿的毛衣丢哪里", ["毛衣"], id="state-before"),
        pytest.param("用完的纽扣电池放哪里好", ["纽扣电池"], id="used-up"),
        pytest.param("充电宝坏了怎么办", ["充电宝"], id="broken-behind"),
        pytest.param("灯管不亮了往哪丢", ["灯管"], id="what-became-of-it"),
        pytest.param("家里有一盒过期药咋处理", ["过期药"], id="how-much"),
        pytest.param("装修剩下的油漆桶扔什么桶", ["油漆桶"], id="left-over"),
        pytest.param("没用完的杀虫剂", ["杀虫剂"], id="not-used-up"),
        pytest.param("一支水银温度计咋个扔", ["水银温度计"], id="a-piece-of"),
        pytest.param("干了的指甲油是什么垃圾", ["指甲油"], id="dried"),
        pytest.param("吃剩的苹果核是湿垃圾吗", ["苹果核"], id="eaten"),
        pytest.param("香蕉皮呢", ["香蕉皮"], id="and-this"),
        pytest.param("那菜叶呢", ["菜叶"], id="then-this"),
        pytest.param("鱼骨头和剩饭扔一起吗", ["鱼骨头", "剩饭"], id="two-with-and"),
        pytest.param("茶叶渣、蛋壳、花生壳", ["茶叶渣", "蛋壳", "花生壳"], id="a-list"),
        pytest.param("奶茶杯，大棒骨还有尿不湿怎么扔", ["奶茶杯", "大棒骨", "尿不湿"], id="a-mixed-list"),
        pytest.param("湿纸巾跟口罩扔哪", ["湿纸巾", "口罩"], id="with"),
        pytest.param("打碎的陶瓷碗怎么丢", ["陶瓷碗"], id="smashed"),
        pytest.param("旧牙刷该扔到哪个垃圾桶里", ["牙刷"], id="old"),
        pytest.param("口罩怎么扔啊", ["口罩"], id="particle"),
        pytest.param("烟头能扔湿垃圾吗", ["烟头"], id="may-it-go-there"),
        pytest.param("用过的猫砂可以倒马桶吗", ["猫砂"], id="another-question"),
        pytest.param("沙发太大了怎么弄", ["沙发"], id="too-big"),
        pytest.param("床垫旧了想换新的怎么处理", ["床垫"], id="a-wish"),
        pytest.param("衣柜搬不动怎么办", ["衣柜"], id="cannot-move-it"),
        pytest.param("一堆砖头往哪放", ["砖头"], id="a-heap"),
        pytest.param("冰箱不制冷了能回收吗", ["冰箱"], id="recycling"),
        pytest.param("电饭煲坏掉了", ["电饭煲"], id="bare-and-broken"),
        pytest.param("炸过东西的食用油", ["食用油"], id="relative"),
        pytest.param("吃剩的剩汤倒哪", ["剩汤"], id="eaten-twice"),
        pytest.param("锅怎么扔", ["锅"], id="one-character"),
        pytest.param("保温杯里泡的茶叶渣", ["茶叶渣"], id="the-head-stands-last"),
        pytest.param("奶茶里的珍珠扔哪", ["珍珠"], id="what-is-in-it"),
        pytest.param("电池怎么扔", ["电池"], id="ambiguous-word"),
        pytest.param("洗干净的玻璃瓶属于哪类", ["玻璃瓶"], id="washed"),
        pytest.param("5号那个电池", ["电池"], id="a-number-before"),
        pytest.param("小朋友用的粉笔是啥垃圾", ["粉笔"], id="the-child's"),
        pytest.param("粽叶粽叶粽叶", ["粽叶"], id="said-thrice"),
        pytest.param("龙虾的虾壳是不是湿垃圾", ["虾壳"], id="of-an-unknown-thing"),
        pytest.param("电池 纽扣的", ["纽扣电池"], id="its-kind-behind"),
        pytest.param("奶茶杯剩珍珠怎么扔", ["珍珠"], id="what-is-left-in-it"),
        pytest.param("旧衣服一抽屉", ["旧衣服"], id="a-drawer-full"),
        pytest.param("衣柜里的报纸", ["报纸"], id="where-it-lay"),
        pytest.param("粽叶，套粽叶的瓶子", ["粽叶", "瓶子"], id="what-it-was-in"),
        pytest.param("报纸和竹蜻蜓怎么扔", ["报纸", "?竹蜻蜓"], id="a-list-with-an-unknown-thing"),
        pytest.param("电池和电池怎么扔", ["电池"], id="the-same-twice"),
    ],
)
def test_the_things_named(text: str, nouns: list[str]) -> None:
    assert [noun.word.text if noun.word else f"?{noun.text}" for noun in parsed(text).nouns] == nouns


@pytest.mark.parametrize(
    ("text", "noun", "modifier", "tail"),
    [
        pytest.param("儿童牙刷", "牙刷", "儿童", "", id="a-compound-of-its-head"),
        pytest.param("牙刷架", "牙刷", "", "架", id="a-thing-of-another-head"),
        pytest.param("牙刷", "牙刷", "", "", id="itself"),
    ],
)
def test_compounds(text: str, noun: str, modifier: str, tail: str) -> None:
    found = parsed(f"{text}怎么扔").nouns[0]
    assert found.word is not None
    assert (found.word.text, found.modifier, found.tail) == (noun, modifier, tail)
    assert found.exact is (text == noun)


@pytest.mark.parametrize(
    ("text", "asks_bin", "bare"),
    [
        pytest.param("报纸", False, True, id="only-the-thing"),
        pytest.param("旧报纸一堆", False, True, id="the-thing-and-its-state"),
        pytest.param("报纸呢", False, True, id="follow-up"),
        pytest.param("报纸扔哪", True, False, id="asks-for-the-bin"),
        pytest.param("报纸几点送", False, False, id="another-question"),
        pytest.param("今天的天气真好", False, False, id="chatter"),
        pytest.param("", False, False, id="nothing"),
    ],
)
def test_what_kind_of_line(text: str, asks_bin: bool, bare: bool) -> None:
    found = parsed(text)
    assert (found.asks_bin, found.bare) == (asks_bin, bare)


@pytest.mark.parametrize(
    "question",
    [
        "怎么扔",
        "怎么处理",
        "如何分类",
        "咋办",
        "扔哪",
        "扔哪里",
        "丢哪个桶",
        "放什么桶",
        "是什么垃圾",
        "是啥垃圾",
        "属于哪一类",
        "算什么垃圾",
        "是干垃圾吗",
        "是不是有害垃圾",
        "干垃圾还是湿垃圾",
        "能回收吗",
        "可以回收吗",
        "往哪扔",
        "该投哪个桶",
        "要扔到哪里",
        "应该怎么丢",
        "到底怎么分",
        "哪个桶",
        "怎么投放",
        pytest.param(
            "什么颜色的桶",
            marks=pytest.mark.xfail(strict=True, reason="WHICH_BIN knows 什么桶 but not a colour without a verb"),
        ),
    ],
)
def test_ways_to_ask_for_the_bin(question: str) -> None:
    assert parsed(f"报纸{question}").asks_bin


@pytest.mark.parametrize("line", ["报纸谁订的", "今天的报纸到了", "报纸几点来", "快去拿报纸", "哪天收报纸"])
def test_lines_that_do_not(line: str) -> None:
    assert not parsed(line).asks_bin


def test_an_unknown_thing_is_named_by_what_is_left() -> None:
    found = parsed("量子海星怎么扔")
    assert [(noun.text, noun.word) for noun in found.nouns] == [("量子海星", None)]
    assert found.left == "量子海星"
    assert found.size == 4


def test_a_list_is_told_from_a_description() -> None:
    assert parsed("报纸、纸箱").connected
    assert not parsed("报纸，旧的").connected
