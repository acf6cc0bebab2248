"""Make the generated tables of bot/matching/tables/ anew: `python -m scripts.build_tables`.

pinyin.txt       one line a toneless syllable: the syllable, a space, the characters read so (their most common reading)
simplified.txt   one line: traditional and simplified character, alternating
Needs the test tools (pypinyin, opencc); the tables are shipped, so nobody else needs them.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import opencc
from pypinyin import Style, lazy_pinyin

TABLES = Path(__file__).parent.parent / "bot" / "matching" / "tables"


def han() -> list[str]:
    """The characters of GB 2312 and GBK: all that residents are likely to type."""
    found = []
    for high in range(0x81, 0xFF):
        for low in range(0x40, 0xFF):
            try:
                char = bytes((high, low)).decode("gbk")
            except UnicodeDecodeError:
                continue
            if "一" <= char <= "鿿":
                found.append(char)
    return sorted(set(found))


def main() -> None:
    """Write both tables."""
    convert = opencc.OpenCC("t2s").convert
    chars = han()
    pairs = [(char, convert(char)) for char in chars]
    changed = "".join(a + b for a, b in pairs if a != b and len(b) == 1)
    (TABLES / "simplified.txt").write_text(changed + "\n", encoding="utf-8")
    read = defaultdict(list)
    for char, simple in pairs:
        if char == simple and (syllable := lazy_pinyin(char, style=Style.NORMAL, errors="ignore")):
            read[syllable[0].replace("ü", "v")].append(char)
    lines = [f"{syllable} {''.join(found)}" for syllable, found in sorted(read.items())]
    (TABLES / "pinyin.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(changed) // 2} traditional characters, {len(lines)} syllables")


if __name__ == "__main__":
    main()
