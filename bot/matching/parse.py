"""A message's segments → the things named in it.

Chinese puts the head of a noun last, and the thing before what became of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from bot.matching.lexicon import Lexicon, Word
from bot.matching.words import ASKS, BEGINS_QUANTITY, CONNECT, FUNCTION, QUANTITY, STATES, SUMMARY, WHERE, WHICH_BIN

_FUNCTION = frozenset(FUNCTION) | frozenset(STATES) | CONNECT
_FUNCTION_LENGTHS = {
    char: tuple(sorted({len(word) for word in _FUNCTION if word[0] == char}))
    for char in {word[0] for word in _FUNCTION}
}
"""How long the function words are that begin with a character."""
_CONNECTORS = tuple(sorted(CONNECT, key=len, reverse=True))
_TAKEN_OUT = re.compile(r"(?:换|拆|取|掏|拿|倒|剥|剪|撕|刮|卸|拔)(?:下来|下|出来|出)|剩(?:下|的|了|个)?$")
"""「代步车上换下来四块电瓶」 「奶茶剩珍珠」: what is taken out of a thing, or left of it, is the thing meant."""
_WITHIN = re.compile(r"(?:里|里面|里头|上面|外面|下面)(?:的)?$")
"""「冰箱里的牛奶」 is no kind of its own, as 「冰箱的隔板」 is, unless it has a name."""
_HANDLES = frozenset("装捆扎绑包裹套垫盛贴罩喂")
"""「装剩菜的塑料袋」 「捆粽子的线」: what a thing does with another, or a call, is no part of a name."""
_RELATIVE = re.compile(r"(?:的|额|嘅|之|里|里面|里头|上面|外面|下面|[那这][张条块层根片瓶盒包堆截段圈])$")
_DESCRIPTION = re.compile(r"(?:的|那种|这种|之类|做的|的那个)$")

Piece = tuple[Literal["span", "function", "unknown"], str, Word | None]


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing named. `word`: its dictionary entry, for a compound its head's. `exact`: `word` is the whole noun."""

    text: str
    word: Word | None
    exact: bool
    modifier: str = ""  # what stands before the known head of a compound
    tail: str = ""  # what stands unknown after a known word
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parse:
    """What was understood of the words of a message."""

    nouns: tuple[Noun, ...]
    asks_bin: bool  # asks into which bin, or how to get rid of it
    left: str  # unknown characters, outside the nouns
    size: int  # characters of content in all
    bare: bool  # nothing but a thing and what became of it
    connected: bool = False  # several things were named
    listed: bool = False  # several were put on one list, by 「和」 or by how many of each
    pieces: tuple[Piece, ...] = field(default=())


def parse(segments: Sequence[str], lexicon: Lexicon) -> Parse:
    """Find the things named in folded segments."""
    asks = False
    parts: list[tuple[str, list[Piece], bool]] = []
    for segment in segments:
        whole = lexicon.get(segment)
        if whole is not None:
            parts.append((segment, [("span", segment, whole)], False))
            continue
        rest, asked = _without_question(segment)
        asks |= asked
        parts.append((rest, _pieces(rest, lexicon) if rest else [], asked))
    nouns: list[Noun] = []
    stories: set[str] = set()  # unknown words of parts that say more than a name
    connected = listed = False
    for rest, told, asked in parts:
        pieces = _without_description(told, lexicon)
        if nouns and (kind := _kind_named(told, nouns[-1], lexicon)):
            nouns[-1] = kind
            continue
        found, linked = _nouns(pieces, lexicon)
        listed |= linked
        if nouns and len(found) == 1 and pieces[0][1] in _OF_IT and (part := _part_of(nouns[-1], found[0], lexicon)):
            nouns[-1] = part
            continue
        if not linked:
            stories.update(noun.text for noun in found if not noun.word and noun.text != rest)
        if any(noun.word for noun in nouns) and not asked and not linked and not _adds(pieces):
            continue
        connected |= linked or bool(nouns and found)
        nouns.extend(found)
    all_pieces = tuple(piece for _, pieces, _ in parts for piece in pieces)
    known = _unique([noun for noun in nouns if noun.word])
    unknown = [noun for noun in nouns if not noun.word]
    left = "".join(text for kind, text, _ in all_pieces if kind == "unknown")
    chosen = known or unknown[:1]
    return Parse(
        nouns=tuple(_unique(chosen))
        if not connected
        else tuple(_unique([noun for noun in nouns if noun.word or not known or _names(noun.text, stories)])),
        asks_bin=asks,
        left=left,
        size=sum(len(text) for _, text, _ in all_pieces),
        bare=bool(chosen) and not asks and _is_bare(all_pieces) and not _asks_otherwise(segments),
        connected=connected,
        listed=listed,
        pieces=all_pieces,
    )


def _names(text: str, stories: set[str]) -> bool:
    """Whether an unknown word of a list names one more thing."""
    return len(text) > 1 and text not in stories


def _without_description(pieces: Sequence[Piece], lexicon: Lexicon) -> Sequence[Piece]:
    """The pieces without the material that is said after a thing: 「茶叶罐铁的」 「旧水壶不锈钢的一个」; where the two
    have a name together, as 铁茶叶罐, with that."""
    end = len(pieces)
    while end and pieces[end - 1][0] == "function" and pieces[end - 1][1] != "的":
        end -= 1
    if end < 3 or pieces[end - 1][1] != "的":
        return pieces
    kind, text, _ = pieces[end - 2]
    named = any(piece[0] == "span" for piece in pieces[: end - 2])
    if kind == "function" or len(text) > _LONGEST_MATERIAL or not named:
        return pieces
    before, thing = pieces[: end - 3], pieces[end - 3]
    if thing[0] == "span" and (word := lexicon.get(text + thing[1])):
        return [*before, ("span", word.text, word), *pieces[end:]]
    return [*before, thing, *pieces[end:]]


def _part_of(whole: Noun, part: Noun, lexicon: Lexicon) -> Noun | None:
    """「卷筒纸用光 剩的那个芯」 asks for the 卷筒纸芯, 「青口贝吃光了 剩的壳」 for its shell."""
    if named := _named_together(whole, part, lexicon):
        return Noun(named.text, named, exact=True)
    return Noun(whole.text + part.text, None, exact=False) if _generic(part) else None


_OF_IT = frozenset("剩 剩的 剩下 剩下的 剩下来 剩下来的 里面 里面的 里头 里头的 它的 外面 外面的 上面 上面的".split())


def _kind_named(pieces: Sequence[Piece], noun: Noun, lexicon: Lexicon) -> Noun | None:
    """「电池 纽扣的」: a part that says which kind of thing was named before it; the thing of that name, if any."""
    said = [piece for piece in pieces if piece[0] != "function"]
    if noun.word is None or len(said) != 1 or len(pieces) < 2 or not pieces[-1][1].endswith("的"):
        return None
    word = lexicon.get(said[0][1] + noun.word.text)
    return Noun(word.text, word, exact=True, states=noun.states) if word else None


_LONGEST_MATERIAL = 3


def _without_question(segment: str) -> tuple[str, bool]:
    """The segment without 「扔哪个桶」 and its like, of which several may stand in it; a place is another question."""
    if WHERE.search(segment):
        return segment, False
    bare = WHICH_BIN.sub("", segment)
    return bare, bare != segment


def _pieces(text: str, lexicon: Lexicon) -> list[Piece]:
    """Cut a text into words of the dictionary, function words and unknown characters, at the least cost."""
    size = len(text)
    starts = lexicon.starts(text)
    costs = [math.inf] * (size + 1)  # up to each place
    origins = [0] * (size + 1)  # where the piece that ends there began
    kinds: list[Literal["span", "function", "unknown"]] = ["unknown"] * (size + 1)
    costs[0] = 0.0
    for at in range(size):
        cost = costs[at] + _EQUAL
        if cost + _UNKNOWN < costs[at + 1]:
            costs[at + 1], origins[at + 1], kinds[at + 1] = costs[at] + _UNKNOWN, at, "unknown"
        for end in starts[at]:
            if cost + _SPAN < costs[end]:
                costs[end], origins[end], kinds[end] = costs[at] + _SPAN, at, "span"
        for end in _functions_at(text, at):
            if cost + _FUNCTION_COST < costs[end]:
                costs[end], origins[end], kinds[end] = costs[at] + _FUNCTION_COST, at, "function"
    cuts: list[tuple[Literal["span", "function", "unknown"], str]] = []
    end = size
    while end:
        cuts.append((kinds[end], text[origins[end] : end]))
        end = origins[end]
    return _joined(cuts[::-1], lexicon)


_SPAN, _FUNCTION_COST, _UNKNOWN = 1.0, 1.1, 2.4
"""What a piece costs: few pieces and few unknown characters are best."""
_EQUAL = 1e-9
"""Costs this near are the same, and what was found first stays."""


def _joined(cuts: Sequence[tuple[str, str]], lexicon: Lexicon) -> list[Piece]:
    """Neighbouring unknown characters are one piece; a lone one may be a word by itself (锅, 针, 粉)."""
    pieces: list[Piece] = []
    for kind, text in cuts:
        if kind == "span":
            pieces.append(("span", text, lexicon.get(text)))
        elif kind == "function":
            pieces.append(("function", text, None))
        elif pieces and pieces[-1][0] == "unknown":
            pieces[-1] = ("unknown", pieces[-1][1] + text, None)
        else:
            pieces.append(("unknown", text, None))
    for n, (kind, text, _) in enumerate(pieces):
        beside = pieces[max(0, n - 1) : n] + pieces[n + 1 : n + 2]
        alone = kind == "unknown" and len(text) == 1 and all(other[0] == "function" for other in beside)
        if alone and (word := lexicon.get(text)):
            pieces[n] = ("span", text, word)
    return pieces


def _functions_at(text: str, at: int) -> list[int]:
    """Where the function words end that begin here."""
    lengths = _FUNCTION_LENGTHS.get(text[at])
    found = [at + length for length in lengths if text[at : at + length] in _FUNCTION] if lengths else []
    if found and found[-1] > len(text):
        found = [end for end in found if end <= len(text)]
    if text[at] in BEGINS_QUANTITY and (quantity := QUANTITY.match(text, at)):
        if quantity.end() - at >= 2 or text[at].isdigit():
            found.append(quantity.end())
    return found


def _nouns(pieces: Sequence[Piece], lexicon: Lexicon) -> tuple[list[Noun], bool]:
    """The nouns of one segment, and whether several were listed in it."""
    groups: list[list[Piece]] = []
    before: list[str] = []  # the function words before each group
    gap = ""
    for piece in pieces:
        if piece[0] == "function":
            gap += piece[1]
            continue
        if groups and not gap:
            groups[-1].append(piece)
        else:
            groups.append([piece])
            before.append(gap)
        gap = ""
    named, before = _without_handling(groups, before)
    if not named:
        return [], False
    nouns = [_noun(group) for group in named]
    listed = _heads(nouns, before, lexicon, lambda gap: gap.startswith(_CONNECTORS) or _is_quantity(gap))
    if len(listed) > 1 and all(noun.word for noun in listed):
        return listed, True
    joined = _heads(nouns, before, lexicon, lambda gap: gap.startswith(_CONNECTORS))
    if len(joined) > 1 and any(noun.word for noun in joined) and all(map(_may_be_listed, joined)):
        return joined, True
    return [_head(nouns, before, lexicon)], False


def _heads(
    nouns: Sequence[Noun], before: Sequence[str], lexicon: Lexicon, lists: Callable[[str], bool]
) -> list[Noun]:
    """The head of each thing on a list; `lists`: whether what stands between two nouns puts one more thing on it."""
    bounds = [0, *(n for n in range(1, len(nouns)) if lists(before[n])), len(nouns)]
    return [_head(nouns[start:end], before[start:end], lexicon) for start, end in pairwise(bounds)]


def _may_be_listed(noun: Noun) -> bool:
    return noun.word is not None or len(noun.text) > 1


def _without_handling(
    groups: Sequence[Sequence[Piece]], before: Sequence[str]
) -> tuple[list[Sequence[Piece]], list[str]]:
    """The groups and what stands before each, without what is done with a thing: 「装剩菜的袋子」 is 「剩菜外面的
    袋子」."""
    kept: list[Sequence[Piece]] = []
    gaps: list[str] = []
    handled, dropped = False, ""
    for group, gap in zip(groups, before, strict=True):
        around = dropped + (_AROUND if handled and gap == "的" else gap)
        dropped = ""
        kind, text, _ = group[0]
        handled = kind == "unknown" and text in _HANDLES and (len(group) == 1 or group[1][2] is not None)
        rest = group[1:] if handled else group
        if rest:
            kept.append(rest)
            gaps.append(around)
        else:
            dropped = around
    return kept, gaps


_AROUND = "外面的"


def _is_quantity(gap: str) -> bool:
    """Whether what stands between two nouns is how many of the second there are: 「充电宝一个纽扣电池两粒」."""
    return bool(gap) and QUANTITY.fullmatch(gap) is not None


def _head(nouns: Sequence[Noun], before: Sequence[str], lexicon: Lexicon) -> Noun:
    """The noun that the others belong to: the last one that 「的」 joins; `before`: what stands before each.
    「皮皮虾剥下来的壳」 is 皮皮虾壳, whether the dictionary holds it or not."""
    head, made = nouns[0], False
    for noun, gap in zip(nouns[1:], before[1:], strict=True):
        if gap.startswith(_SAYS_WHAT_IT_IS):
            break
        joined = bool(_RELATIVE.search(_joined_to(gap)) or (noun.word and _TAKEN_OUT.search(gap)))
        if joined and (noun.word or not head.word or _generic(noun)):
            if named := _named_together(head, noun, lexicon):
                head, made = Noun(named.text, named, exact=True), True
                continue
            partial = noun.word is None or noun.word.item is None or noun.word.choice is not None
            made = _generic(noun) and partial and (head.word is not None or len(head.text) > 1)
            made = made and not (noun.word and _WITHIN.search(_joined_to(gap)) and not _hazardous(head))
            head = Noun(head.text + noun.text, None, exact=False) if made else noun
    if head.word:
        return head
    known = [noun for noun in nouns if noun.word]
    part = made and any(noun.text in head.text for noun in known)
    return known[-1] if known and not part else head


def _named_together(whole: Noun, part: Noun, lexicon: Lexicon) -> Word | None:
    """「装机油的空桶」 is 机油桶."""
    plain = part.word.choice.word if part.word and part.word.choice else part.text
    return lexicon.get(whole.text + part.text) or lexicon.get(whole.text + plain)


def _hazardous(noun: Noun) -> bool:
    """What holds something hazardous is not to be taken for any other of its kind."""
    return noun.word is not None and noun.word.item is not None and noun.word.item.category == "hazardous"


def _generic(noun: Noun) -> bool:
    """「壳」「盒子」「电池」: a head that says little without what it is of."""
    return len(noun.text) <= 3 and (noun.word is None or noun.word.choice is not None)


def _joined_to(gap: str) -> str:
    """「外面的」 joins as 「的」 does, also with a state between: 「里过期的」, 「里的一个」."""
    return _ADJECTIVE.sub("", QUANTITY.sub("", gap)) if gap[-1:] not in ("的", "额", "嘅") else gap


_SAYS_WHAT_IT_IS = ("是", "就是", "都是")
_ADJECTIVE = re.compile(r"(?:小|大|旧|老|新|空|破|那个|那张|那块|这个)+$")


def _noun(group: Sequence[Piece]) -> Noun:
    text = "".join(piece[1] for piece in group)
    if len(group) == 1:
        return Noun(text, group[0][2], exact=group[0][2] is not None)
    if group[-1][2] is not None:
        head = group[-1]
        return Noun(text, head[2], exact=False, modifier=text[: -len(head[1])])
    last = max(n for n, piece in enumerate(group) if piece[2] is not None)
    tail = "".join(piece[1] for piece in group[last + 1 :])
    if last == 0:
        return Noun(text, group[0][2], exact=False, tail=tail)
    return Noun(text, group[last][2], exact=False, modifier="".join(piece[1] for piece in group[:last]), tail=tail)


def _adds(pieces: Sequence[Piece]) -> bool:
    """Whether a later segment names one more thing, rather than describing the first."""
    rest = "".join(text for _, text, _ in pieces)
    if SUMMARY.match(rest) or _DESCRIPTION.search(rest):
        return False
    kinds = [kind for kind, _, _ in pieces if kind != "function"]
    if kinds and (rest.startswith(_CONNECTORS) or _belongs(pieces)):
        return True
    if len(kinds) == len(pieces) and (len(kinds) > 1 or kinds == ["unknown"]):
        return 2 <= len(rest) <= _LONGEST_COMPOUND
    if kinds != ["span"]:
        return False
    first = next(n for n, piece in enumerate(pieces) if piece[0] == "span")
    if first == 0 or _RELATIVE.search(pieces[first - 1][1]) is not None or pieces[first - 1][1] in _BEFORE_THING:
        return True
    return all(QUANTITY.fullmatch(text) for _, text, _ in pieces[:first])


def _belongs(pieces: Sequence[Piece]) -> bool:
    """「包苹果的网套」 「里面两节7号电池」: a known thing, by what it belongs to."""
    last = max((n for n, piece in enumerate(pieces) if piece[0] == "span"), default=0)
    if not last or any(kind == "unknown" for kind, _, _ in pieces[last + 1 :]):
        return False
    before = "".join(text for kind, text, _ in pieces[:last] if kind == "function")
    return _ADJECTIVE.sub("", before).endswith(_OF) or pieces[0][1] in _INSIDE


_OF = ("的", "额", "嘅")
_INSIDE = frozenset(("里面", "里头", "里面的", "里头的"))


_LONGEST_COMPOUND = 6
_BEFORE_THING = frozenset(STATES) | {"那个", "这个", "一个", "那", "还有", "和", "跟"}


def _asks_otherwise(segments: Sequence[str]) -> bool:
    """「那充电宝呢」 asks again what was asked before; any other sign of a question asks something else."""
    return bool(ASKS.search(" ".join(segments).rstrip("呢")))


def _is_bare(pieces: Sequence[Piece]) -> bool:
    return all(kind != "unknown" for kind, _, _ in pieces) or len(pieces) == 1


def _unique(nouns: Sequence[Noun]) -> list[Noun]:
    seen: set[str] = set()
    kept = []
    for noun in nouns:
        key = noun.text
        if noun.exact and noun.word:
            key = noun.word.item.name if noun.word.item else noun.word.choice.word if noun.word.choice else key
        if key not in seen:
            seen.add(key)
            kept.append(noun)
    return kept
