"""The simulator before the whole bot, as `make run` serves it: the first minute of somebody who tries it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import PHONE, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site: {{name: 绿苑社区, city: shanghai}}
server: {{port: 0}}
knowledge: {ROOT / "knowledge"}
staff: [{{channel: try, user: staff, name: 社工小周, role: editor}}]
channels: {{try: {{type: simulator}}}}
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the simulator of a fresh site is."""
    config = tmp_path_factory.mktemp("site") / "config.yaml"
    config.write_text(CONFIG, "utf-8")
    command = [sys.executable, "-m", "bot", "serve", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        first = server.stdout.readline()
        if not first:
            pytest.fail(server.stderr.read())
        yield first.split()[0]
        server.terminate()
        server.communicate()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with watched_page(chromium, address, [], PHONE) as page:
        yield page


def say(page: Page, text: str) -> None:
    page.get_by_label("消息", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_every_example_is_answered(page: Page) -> None:
    examples = page.get_by_role("group", name="问题示例").get_by_role("button").all_text_contents()
    for count, example in enumerate(examples, 1):
        page.get_by_role("button", name=example, exact=True).click()
        page.get_by_role("button", name="发送").click()
        expect(page.locator(".row.bot:not(.typist)")).to_have_count(count)
        expect(page.locator(".row.bot .text").last).not_to_contain_text("不确定")


def test_batteries_are_asked_about_and_chosen(page: Page) -> None:
    say(page, "电池怎么扔")
    page.get_by_role("group", name="可选的回复").get_by_role("button").filter(has_text="纽扣电池").click()
    expect(page.locator(".row.bot .text").last).to_contain_text("有害垃圾")
    page.get_by_role("button", name="为什么这样答").first.click()
    expect(page.locator(".because")).to_contain_text("拿不准是哪一种，先问清")


def test_chatter_is_left_alone(page: Page) -> None:
    page.get_by_role("button", name="@小绿", pressed=True).click()
    say(page, "今天手机电池没电了")
    expect(page.locator(".silent")).to_have_text(re.compile("^小绿没有回复（原因：不像是在提问）"))


def test_danger_alerts_the_staff(page: Page) -> None:
    say(page, "鼓包的锂电池怎么办")
    expect(page.locator(".row.bot .text")).to_contain_text("119")
    page.get_by_role("button", name="去看").click(timeout=15_000)
    expect(page.locator(".row.bot .text").last).to_contain_text("【安全提醒】")
