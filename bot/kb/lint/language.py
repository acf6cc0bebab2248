"""Words of the language, for what lint says of texts: what asks without content, what is too common, what is hard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

SAME_MEANING: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(words), plain)
    for words, plain in (
        (r"怎么样|怎么着|怎样|如何|咋样|咋个|咋|啷个|点样|哪能", "怎么"),
        (r"啥子|啥|乜嘢|乜", "什么"),
        (r"哪儿|哪边|哪块|哪个地方|什么地方|边度", "哪里"),
        (r"扔掉|丢掉|投放|丢弃|丢|投|放|倒|处理|处置", "扔"),
        (r"可不可以|能不能|可以|能够|可|会不会|准不准|让不让|行不行", "能"),
        (r"几多|几", "多少"),
        (r"需不需要|需要|要不要|该不该|应该|用不用|得|该|须", "要"),
        (r"是不是|算不算|算是|属于|算|属", "是"),
        (r"有没有|有无", "有"),
    )
)
"""Words that ask the same → the one that stands for them."""

NO_CONTENT = re.compile(
    r"请问|请教|麻烦|问下|一下|怎么办|怎么|什么|哪里|哪个|哪|为何|为|多少|谁|时候|的|了|吗|嘛|么|呢|吧|啊|呀|哦|噢"
    r"|啦|伐|勿|呗|是|要|能|会|行|好|我们|我家|我|咱们|咱|你|他|它|们|有|在|到|去|个|这|那|还|都|也|就|一|扔|弄|搞|办|做|不"
)
"""Words that every question may hold: a phrase of nothing else asks nothing."""

NEVER_TELLS_APART = re.compile(
    r"请问|请教|麻烦|问下|一下|的|了|吗|嘛|么|呢|吧|啊|呀|哦|噢|啦|伐|勿|呗|是|要|能|会|我们|我家|我|咱们|咱|们"
    r"|有|在|到|个|这|那|还|都|也|就|不$"
)
"""Words that do not make another question of a question."""

COMMON = frozenset(
    """垃圾 生活垃圾 垃圾桶 垃圾袋 垃圾房 垃圾分类 分类 投放 回收 环保 环境 桶 袋子 东西 物品 电池 灯 灯管 瓶子
衣服 家具 电器 油 药 纸 树 花 草 绿化 绿地 节能 节水 噪音 噪声 小广告 社区 小区 街道 居委 居委会 物业 业委会
楼道 志愿者 活动 积分 罚款 处罚 规定 时间 地点 电话""".split()
)
"""Single words that stand for many questions at once."""

HARD: Mapping[str, str] = {
    "予以": "给，或去掉",
    "应当": "要",
    "不得": "不能、不可以",
    "方可": "才能",
    "擅自": "自己随便、没经同意就",
    "逾期": "过了期限",
    "上述": "写明是哪些",
    "有关部门": "写明找谁",
    "相关部门": "写明找谁",
    "主管部门": "写明是哪个局",
    "依法": "去掉，或写明哪一条",
    "处置": "处理",
    "收运": "来收、运走",
    "无害化": "安全地处理",
    "减量化": "少产生",
    "资源化": "再利用",
    "情节严重": "写明什么情况",
    "履行": "做到",
    "纳入": "算进",
    "报批": "申请批准",
    "进行": "去掉，直接用后面的动词",
    "之日起": "从……起",
    "贯彻": "去掉",
    "落实": "做到",
    "督促": "提醒",
    "责任主体": "写明谁负责",
    "末端": "最后",
    "源头": "一开始",
}
"""Words of offices → what to write for a resident."""

NAMES_ON_SIGNS = re.compile(r"收运交付点|无害化处理(?:机构|场|厂|站|中心)")
"""Names of places that hold such a word: a resident looks for the very name."""

NEXT_STEP = re.compile(
    r"请|问|找|打\d|拨|联系|投|交|送|预约|报|申请|关|换|拔|别|不要|勿|\{contact\}|\d{5}|看|选|参加|装袋|沥干|包好"
    r"|扔|学着|少|带|用"
)
"""Signs that an answer says what to do."""


def plain_key(folded: str) -> str:
    """A folded phrase without what does not tell it from another: equal keys ask the same."""
    for words, plain in SAME_MEANING:
        folded = words.sub(plain, folded)
    return NEVER_TELLS_APART.sub("", folded)


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, the longest first; fits nowhere where there is none."""
    return re.compile("|".join(sorted(map(re.escape, filter(None, words)), key=len, reverse=True)) or r"(?!)")
