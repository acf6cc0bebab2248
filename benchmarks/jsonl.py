"""Messages a second through `lvlin ask --jsonl`."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.site import LVLIN, ROOT, make_site, questions
from benchmarks.table import Row

MESSAGES = 5_000


def run() -> list[Row]:
    """The rate of a whole run, and without the start of the process."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        config = make_site(folder, port=0)
        _answered(config, folder / "one.jsonl", 1)  # compiles the knowledge
        start, whole = _answered(config, folder / "all.jsonl", MESSAGES)
    return [
        Row(f"ask --jsonl, {MESSAGES:,} messages, the start included", MESSAGES / whole, "/s"),
        Row(f"ask --jsonl, {MESSAGES:,} messages, after the first answer", (MESSAGES - 1) / (whole - start), "/s"),
    ]


def _answered(config: Path, file: Path, messages: int) -> tuple[float, float]:
    """Seconds until the first answer, and until the end of the process."""
    texts = questions()
    lines = (
        json.dumps({"id": f"m{n}", "text": texts[n % len(texts)], "user": f"u{n % 300}", "chat": f"g{n % 20}"})
        for n in range(messages)
    )
    file.write_text("\n".join(lines), "utf-8")
    began = time.perf_counter()
    with file.open("rb") as given:
        command = (*LVLIN, "ask", "--jsonl", "--config", config)
        asked = subprocess.Popen(command, cwd=ROOT, stdin=given, stdout=subprocess.PIPE)
    assert asked.stdout is not None
    with asked, asked.stdout as answers:
        first = answers.readline()
        start = time.perf_counter() - began
        count = len(answers.read().splitlines()) + bool(first)
    if asked.returncode or count != messages:
        raise AssertionError(f"{count} answers of {messages}, exit status {asked.returncode}")
    return start, time.perf_counter() - began
