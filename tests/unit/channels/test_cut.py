"""Where a text is cut."""

from __future__ import annotations

import pytest

from bot.channels.cut import cut

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        pytest.param("", 0, "", id="nothing"),
        pytest.param("绿邻", 6, "绿邻", id="just-fits"),
        pytest.param("绿邻社", 8, "绿…", id="one-byte-short"),
        pytest.param("绿邻", 3, "…", id="room-for-the-ellipsis-only"),
        pytest.param("绿邻", 2, "", id="room-for-nothing"),
        pytest.param("投红桶。周六收，别混投", 27, "投红桶。…", id="after-the-sentence"),
        pytest.param("投红桶；周六收，别混投", 27, "投红桶；…", id="after-the-semicolon"),
        pytest.param("投红桶\n周六收，别混投", 27, "投红桶…", id="at-the-line-end"),
        pytest.param("好。周六上午收旧电池，九点前", 36, "好。周六上午收旧电池，…", id="too-early-a-sentence"),
        pytest.param("好。周六上午收旧电池和灯管九点", 36, "好。周六上午收旧电池和…", id="too-early-and-no-clause"),
        pytest.param("一二三四五六七八、九十", 30, "一二三四五六七八、…", id="after-the-enumeration-comma"),
        pytest.param("ab🔋cd", 7, "ab…", id="no-half-emoji"),
        pytest.param("abcdefé", 10, "abcdefé", id="bytes-not-characters"),
        pytest.param("abcdefe\u0301xyz", 10, "abcdef…", id="accent-stays-with-its-letter"),
        pytest.param("ab" + FAMILY, 5 + 4 + 3, "ab…", id="joined-emoji-stay-whole"),
        pytest.param("abcd👍🏽xy", 4 + 4 + 3, "abcd…", id="skin-tone-stays"),
        pytest.param("ab❤\ufe0fxyz", 2 + 3 + 3, "ab…", id="variation-selector-stays"),
        pytest.param("ab🇨🇳🇫🇷xxx", 2 + 8 + 4 + 3, "ab🇨🇳…", id="flags-stay-pairs"),
    ],
)
def test_cut(text, limit, expected):
    assert cut(text, limit) == expected
    assert len(cut(text, limit).encode()) <= limit


def test_a_heap_of_marks_is_no_reason_to_send_nothing():
    heap = "好" + "\u0301" * 500
    assert 90 <= len(cut(heap, 100).encode()) <= 100
