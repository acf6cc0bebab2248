"""The simulator as a resident sees it, on a phone and on a desktop."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browsing import Served

pytestmark = pytest.mark.browser

SMALL_TARGETS = """
() => [...document.querySelectorAll("button, textarea, summary, a[href]")]
  .filter((node) => node.checkVisibility() && !node.classList.contains("skip"))
  .map((node) => [node.textContent || node.id, node.getBoundingClientRect()])
  .filter(([, box]) => Math.round(box.width * 100) < 4400 || Math.round(box.height * 100) < 4400)
  .map(([text, box]) => `${text} ${box.width}×${box.height}`)
"""
SIDEWAYS = "() => document.documentElement.scrollWidth > window.innerWidth || log.scrollWidth > log.clientWidth"
PALE_TEXTS = """
() => {
  const rgb = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
  };
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = (c) => 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      const image = style.backgroundImage.match(/rgb\\([^)]*\\)/);
      if (image) return rgb(image[0]);
      if (rgb(style.backgroundColor).a === 1) return rgb(style.backgroundColor);
    }
    return rgb("rgb(255, 255, 255)");
  };
  const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  return [...document.querySelectorAll("body *")]
    .filter((node) => node.checkVisibility())
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
    .map((node) => [node.textContent, ratio(light(rgb(getComputedStyle(node).color)), light(behind(node)))])
    .filter(([, found]) => found < 4.5)
    .map(([text, found]) => `${text.slice(0, 20)} ${found.toFixed(2)}`);
}
"""


def say(page: Page, text: str) -> None:
    page.get_by_label("消息", exact=True).fill(text)
    page.keyboard.press("Enter")


def become(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile("^换人")).click()
    page.locator(".person").filter(has_text=name).click()


def go_to(page: Page, place: str) -> None:
    page.get_by_role("button", name=re.compile("换群$")).click()
    page.locator(".person").filter(has_text=place).click()


def explain(page: Page, label: str = "为什么这样答") -> None:
    page.get_by_role("button", name=label).last.click()


def explanation(page: Page) -> Locator:
    return page.locator(".because")


@dataclass
class Fetched:
    """A response without a browser in between."""

    status: int
    headers: Message
    text: str


def fetch(address: str, body: bytes | None = None, kind: str = "application/json") -> Fetched:
    request = urllib.request.Request(address, body, {"Content-Type": kind} if body else {})
    try:
        with urllib.request.urlopen(request) as response:
            return Fetched(response.status, response.headers, response.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Fetched(refusal.code, refusal.headers, refusal.read().decode())


# ---------------------------------------------------------------- asking


def test_first_view_explains_itself_and_offers_questions(page: Page) -> None:
    expect(page.locator(".welcome")).to_contain_text("我是小绿，绿苑社区的环保助手")
    expect(page.get_by_role("heading", name="3号楼群(92)")).to_be_visible()
    chips = page.get_by_role("group", name="问题示例").get_by_role("button")
    assert chips.all_text_contents() == [
        "奶茶杯扔哪个桶",
        "电池怎么扔",
        "大件垃圾放哪",
        "装修几点要停",
        "鼓包的锂电池怎么办",
    ]
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_a_question_is_answered_to_the_asker(page: Page, served: Served) -> None:
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.own .bubble")).to_have_text("@小绿 奶茶杯扔哪个桶")
    expect(page.locator(".row.bot .bubble")).to_contain_text("@张阿姨 奶茶杯：干垃圾（黑桶）。")
    expect(page.locator(".row.bot .badge")).to_have_text("助手")
    [sent] = served.bot.messages
    assert (sent["text"], sent["chat"], sent["mentioned"], sent["user_name"]) == (
        "奶茶杯扔哪个桶",
        "luyuan-3",
        True,
        "张阿姨",
    )


def test_an_example_fills_the_box_and_does_not_send(page: Page, served: Served) -> None:
    page.get_by_role("button", name="大件垃圾放哪").click()
    box = page.get_by_label("消息", exact=True)
    expect(box).to_have_value("大件垃圾放哪")
    expect(box).to_be_focused()
    assert served.bot.messages == []


@pytest.mark.parametrize(
    ("typed", "called", "text", "mentioned"),
    [
        pytest.param("垃圾怎么扔", True, "垃圾怎么扔", True, id="toggle-on"),
        pytest.param("垃圾怎么扔", False, "垃圾怎么扔", False, id="toggle-off"),
        pytest.param("@小绿 垃圾怎么扔", False, "垃圾怎么扔", True, id="typed-by-hand"),
    ],
)
def test_who_is_called(page: Page, served: Served, typed: str, called: bool, text: str, mentioned: bool) -> None:
    if not called:
        page.get_by_role("button", name="@小绿", pressed=True).click()
    say(page, typed)
    expect(page.locator(".row.bot")).to_be_visible()
    assert [(sent["text"], sent["mentioned"]) for sent in served.bot.messages] == [(text, mentioned)]


def test_a_choice_sends_its_number_and_shows_its_label(page: Page, served: Served) -> None:
    say(page, "电池怎么扔")
    options = page.get_by_role("group", name="可选的回复").get_by_role("button")
    expect(options).to_have_text(["1普通干电池（1、5、7号）", "2纽扣电池", "3充电电池、锂电池", "4电动车电瓶"])
    options.nth(1).click()
    expect(page.locator(".row.own .bubble").last).to_have_text("@小绿 2（纽扣电池）")
    expect(page.locator(".row.bot .bubble").last).to_contain_text("纽扣电池：有害垃圾")
    expect(options).to_have_count(0)
    assert [sent["text"] for sent in served.bot.messages] == ["电池怎么扔", "2"]


def test_only_the_last_answer_offers_choices(page: Page, served: Served) -> None:
    served.bot.hold(served.loop)
    say(page, "电池怎么扔")
    say(page, "奶茶杯扔哪个桶")
    served.bot.release(served.loop)
    expect(page.locator(".row.bot:not(.typist)")).to_have_count(2)
    expect(page.locator(".option")).to_have_text(["详细"])


def test_details_are_one_tap_away(page: Page, served: Served) -> None:
    say(page, "奶茶杯扔哪个桶")
    page.get_by_role("button", name="详细", exact=True).click()
    expect(page.locator(".row.own")).to_have_count(2)
    expect(page.locator(".row.bot")).to_have_count(2)
    assert served.bot.messages[1]["text"] == "详细"


def test_silence_is_a_small_line_with_its_reason(page: Page) -> None:
    page.get_by_role("button", name="@小绿", pressed=True).click()
    say(page, "今天手机电池没电了")
    line = page.locator(".silent")
    expect(line).to_contain_text("小绿没有回复（原因：不像是在提问）")
    expect(page.locator(".row.bot")).to_have_count(0)
    line.click()
    expect(explanation(page)).to_contain_text("不出声：不像是在提问")


def test_every_reason_for_silence_has_chinese_words(page: Page) -> None:
    reasons = "not_a_question unsure recent cooldown staff_talking paused empty unsupported robot".split()
    assert page.evaluate("(reasons) => reasons.filter((reason) => !REASONS[reason])", reasons) == []


# ---------------------------------------------------------------- people and chats


def test_each_person_has_an_own_conversation(page: Page, served: Served) -> None:
    say(page, "电池怎么扔")
    expect(page.locator(".option")).to_have_count(4)
    become(page, "王师傅")
    expect(page.locator(".row:not(.bot)")).to_have_class("row")  # 张阿姨's line now stands on the left
    expect(page.locator(".option")).to_have_count(0)
    say(page, "2")
    expect(page.locator(".row.bot .bubble").last).to_contain_text("@王师傅 这个我还不确定")
    become(page, "张阿姨")
    page.locator(".option").nth(1).click()
    expect(page.locator(".row.bot .bubble").last).to_contain_text("@张阿姨 纽扣电池")
    first, second, third = (sent["user"] for sent in served.bot.messages)
    assert first == third != second


def test_private_chats_are_private(page: Page, served: Served) -> None:
    go_to(page, "私聊")
    expect(page.get_by_role("button", name="@小绿", exact=True)).to_be_hidden()
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot .bubble")).to_have_text(re.compile("^奶茶杯"))
    become(page, "王师傅")
    expect(page.locator(".row")).to_have_count(0)
    assert "chat" not in served.bot.messages[0]
    assert served.bot.messages[0]["mentioned"] is True


def test_groups_do_not_mix(page: Page, served: Served) -> None:
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot")).to_be_visible()
    go_to(page, "未接入群")
    expect(page.locator(".row")).to_have_count(0)
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot")).to_be_visible()
    assert [sent["chat"] for sent in served.bot.messages] == ["luyuan-3", "unlisted"]


def test_two_visits_are_different_residents(page: Page, served: Served) -> None:
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot")).to_be_visible()
    page.reload()
    expect(page.locator(".row")).to_have_count(0)
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot")).to_be_visible()
    first, second = (sent["user"] for sent in served.bot.messages)
    assert first != second


def test_an_alert_reaches_the_staff_member(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    say(page, "鼓包的锂电池怎么办")
    page.get_by_role("button", name="去看").click()
    expect(page.get_by_role("heading", name="您现在是社工小周")).to_be_visible()
    expect(page.locator(".row.bot")).to_contain_text("【安全提醒】有居民问到危险物品")
    page.evaluate("() => poll()")
    expect(page.locator(".row.bot")).to_have_count(1)  # delivered once, however often it is asked for


# ---------------------------------------------------------------- why


def test_the_explanation_names_rule_scores_and_limits(page: Page) -> None:
    say(page, "奶茶杯扔哪个桶")
    explain(page)
    why = explanation(page)
    for part in (
        "直接回答",
        "奶茶杯 → 干垃圾",
        "items/奶茶杯",
        "名称对得上（name）",
        "0.98",
        "0.41",
        "群里没点名也开口",
        "0.85",
    ):
        expect(why).to_contain_text(part)


def test_the_sheet_gives_the_focus_back(page: Page) -> None:
    opener = page.get_by_role("button", name=re.compile("^换人"))
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="您想当哪一位？")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


# ---------------------------------------------------------------- safety


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("<img src=x onerror=alert(1)>", id="image"),
        pytest.param("<script>document.title='gone'</script>", id="script"),
        pytest.param("</textarea><svg/onload=alert(1)>&lt;b&gt;", id="entities"),
        pytest.param("javascript:alert(1) {{7*7}} ${7*7}", id="templates"),
    ],
)
def test_markup_stays_text(page: Page, payload: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    say(page, f"复述{payload}")
    expect(page.locator(".row.bot .text")).to_have_text(payload)
    explain(page)
    expect(explanation(page)).to_contain_text(payload)
    assert page.locator("#log img, #log script, #log svg, .because img, .because svg").count() == 0
    assert page.title() == "小绿 · 绿苑社区模拟群"


def test_scripts_in_the_page_are_refused(page: Page, tolerated: list[str]) -> None:
    tolerated += ["Content Security Policy", "TrustedScript"]
    ran = page.evaluate(
        """() => {
          const node = document.createElement("script");
          try { node.textContent = "window.ran = true"; document.body.append(node); } catch { return "refused"; }
          return window.ran || "refused";
        }"""
    )
    assert ran == "refused"


# ---------------------------------------------------------------- layout and reach


def fill_the_page(page: Page) -> None:
    say(page, "奶茶杯扔哪个桶")
    say(page, "电池怎么扔")
    expect(page.locator(".option")).to_have_count(4)
    page.get_by_role("button", name="@小绿", pressed=True).click()
    say(page, "长" * 200 + " https://example.test/" + "a" * 200)
    expect(page.locator(".silent")).to_be_visible()


def open_explanation(page: Page) -> None:
    fill_the_page(page)
    explain(page)
    expect(explanation(page)).to_be_visible()


VIEWS = [
    pytest.param(lambda page: None, id="first-view"),
    pytest.param(fill_the_page, id="talk"),
    pytest.param(open_explanation, id="explanation"),
    pytest.param(lambda page: page.get_by_role("button", name=re.compile("^换人")).click(), id="people"),
    pytest.param(lambda page: page.get_by_role("button", name=re.compile("换群$")).click(), id="chats"),
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("large", [pytest.param(False, id="normal"), pytest.param(True, id="large")])
def test_everything_fits_a_thumb_and_the_screen(page: Page, view: Callable[[Page], None], large: bool) -> None:
    if large:
        page.get_by_role("button", name="大字").click()
    view(page)
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(SIDEWAYS) is False


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out(page: Page, view: Callable[[Page], None], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    view(page)
    assert page.evaluate(PALE_TEXTS) == []


def test_large_type_is_larger_and_stays(page: Page) -> None:
    size = "() => parseFloat(getComputedStyle(words).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("button", name="大字", pressed=False).click()
    page.reload()
    expect(page.get_by_role("button", name="大字", pressed=True)).to_be_visible()
    assert page.evaluate(size) >= before * 1.2


def test_reading_is_not_interrupted(page: Page, served: Served) -> None:
    for turn in range(6):
        say(page, f"复述第{turn}条\n二\n三\n四")
    expect(page.locator(".row.bot")).to_have_count(6)
    served.bot.hold(served.loop)
    say(page, "复述最后一条")
    expect(page.locator(".typist")).to_contain_text("正在输入")
    page.locator("#log").evaluate("(log) => { log.scrollTop = 0; }")
    served.bot.release(served.loop)
    news = page.get_by_role("button", name="↓ 1 条新消息")
    expect(news).to_be_visible()
    assert page.locator("#log").evaluate("(log) => log.scrollTop") == 0
    news.click()
    expect(news).to_be_hidden()
    expect(page.locator(".row.bot").last).to_be_in_viewport()


# ---------------------------------------------------------------- keyboard and screen reader


def test_the_keyboard_is_enough(page: Page, served: Served) -> None:
    page.keyboard.press("/")
    box = page.get_by_label("消息", exact=True)
    expect(box).to_be_focused()
    page.keyboard.type("a/b")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("奶茶杯")
    expect(box).to_have_value("a/b\n奶茶杯")
    page.keyboard.press("Enter")
    expect(page.locator(".row.bot")).to_be_visible()
    expect(box).to_have_value("")
    assert [sent["text"] for sent in served.bot.messages] == ["a/b\n奶茶杯"]


def test_enter_does_not_send_what_the_input_method_still_composes(page: Page, served: Served) -> None:
    box = page.get_by_label("消息", exact=True)
    box.fill("naicha")
    box.evaluate(
        "(box) => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }))"
    )
    expect(box).to_have_value("naicha")
    assert served.bot.messages == []


def test_focus_goes_from_top_to_bottom(page: Page) -> None:
    expected = ["", "me", "where", "size", "log", *[""] * 5, "at", "words", ""]
    visited = []
    for _ in expected:
        page.keyboard.press("Tab")
        visited.append(page.evaluate("() => document.activeElement.id"))
    assert visited == expected


def test_screen_readers_are_told(page: Page) -> None:
    log = page.get_by_role("log", name="聊天记录")
    expect(log).to_have_attribute("aria-live", "polite")
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('button:not([hidden])')]"
        ".filter((button) => !(button.ariaLabel || button.textContent).trim()).length"
    )
    assert unnamed == 0


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(503, "服务正在重启", id="draining"),
        pytest.param(413, "这条消息太长了", id="too-long"),
        pytest.param(418, "服务器没有接受（418）", id="other"),
    ],
)
def test_a_refused_message_is_sent_again_as_the_same_message(
    page: Page, served: Served, tolerated: list[str], status: int, words: str
) -> None:
    tolerated.append(f"status of {status}")
    served.bot.failures.append(status)
    identities: list[str] = []
    page.on("request", lambda request: request.method == "POST" and identities.append(request.post_data_json["id"]))
    say(page, "奶茶杯扔哪个桶")
    expect(page.get_by_role("status")).to_contain_text(f"没发出去：{words}")
    page.get_by_role("button", name="点这里重发").click()
    expect(page.locator(".row.bot .bubble")).to_contain_text("干垃圾")
    expect(page.get_by_role("button", name="点这里重发")).to_have_count(0)
    assert len(identities) == 2
    assert len(set(identities)) == 1


def test_an_explanation_that_cannot_be_had_says_so(page: Page, tolerated: list[str]) -> None:
    tolerated.append("ERR_FAILED")
    say(page, "奶茶杯扔哪个桶")
    expect(page.locator(".row.bot")).to_be_visible()
    page.route("**/simulator/explain", lambda route: route.abort())
    explain(page)
    expect(page.get_by_text("没查到，请检查网络后再点一次。")).to_be_visible()


# ---------------------------------------------------------------- the routes behind it


def test_the_page_is_fresh_and_strict(served: Served) -> None:
    page = fetch(served.address)
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script>|style=|\son\w+=|https?://", page.text)


def test_files_may_be_kept_for_ever_because_their_address_changes(served: Served) -> None:
    page = fetch(served.address).text
    addresses = re.findall(r"simulator/static/simulator\.[0-9a-f]{12}\.(?:css|js|svg)", page)
    assert len(addresses) == 3
    for address in addresses:
        file = fetch(served.address + address)
        assert file.status == 200
        assert "immutable" in file.headers["Cache-Control"]
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", file.text)
    assert fetch(served.address + "simulator/static/simulator.000000000000.js").status == 404
    assert fetch(served.address + "simulator/static/..%2fsimulator.py").status == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b'{"text": "a"}', "application/json", 200, id="right"),
        pytest.param(b'{"text": "a"}', "text/plain", 415, id="no-json-type"),
        pytest.param(b"{", "application/json", 400, id="broken"),
        pytest.param(b"\xff", "application/json", 400, id="not-utf-8"),
        pytest.param(b"[]", "application/json", 400, id="no-object"),
        pytest.param(b"{}", "application/json", 400, id="no-text"),
        pytest.param(b'{"text": 7}', "application/json", 400, id="no-string"),
        pytest.param(b'{"text": "\\ud800"}', "application/json", 400, id="half-a-character"),
        pytest.param(b"[" * 60_000, "application/json", 400, id="too-deep"),
        pytest.param(json.dumps({"text": "a" * 2000}).encode(), "application/json", 200, id="longest"),
        pytest.param(json.dumps({"text": "a" * 2001}).encode(), "application/json", 413, id="too-long"),
        pytest.param(b" " * 65_537, "application/json", 413, id="too-large"),
    ],
)
def test_what_is_explained(served: Served, body: bytes, kind: str, status: int) -> None:
    assert fetch(served.address + "simulator/explain", body, kind).status == status


def test_deliveries_are_of_one_user_and_chat(served: Served) -> None:
    served.bot.mail["u", None].append({"delivery_id": "d1", "text": "私信"})
    served.bot.mail["u", "g"].append({"delivery_id": "d2", "text": "通知"})
    mailbox = served.address + "simulator/deliveries"
    assert json.loads(fetch(f"{mailbox}?user=u").text) == [{"delivery_id": "d1", "text": "私信"}]
    assert json.loads(fetch(f"{mailbox}?user=u&chat=g").text) == [{"delivery_id": "d2", "text": "通知"}]
    assert json.loads(fetch(f"{mailbox}?user=v").text) == []
    assert fetch(mailbox).status == 400


def test_without_a_channel_the_page_says_so(served_off: Served) -> None:
    page = fetch(served_off.address)
    assert page.status == 200
    assert "模拟群没有开启" in page.text
    assert "绿苑&lt;社区&gt;" in page.text
    assert fetch(served_off.address + "simulator/deliveries?user=u").status == 404
