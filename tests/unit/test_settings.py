"""config.yaml: every fault is told with its line and the way to mend it; no secret is ever shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import vault
from bot.channels.webhook import Webhook
from bot.channels.wechat_mp import WechatMp
from bot.channels.wecom_aibot import WecomAibot
from bot.channels.wecom_app import WecomApp
from bot.errors import FaultyFile
from bot.matching.understand import Thresholds
from bot.settings import LEAST_SECRET_BYTES, LanguageModel, Settings, examine, load, staff_faults

SHIPPED = Path(__file__).parents[2] / "config.yaml"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRONMENT = {
    "MP_SECRET": "mp-canary-1",
    "MP_TOKEN": "mp-canary-2",
    "MP_AES_KEY": KEY,
    "APP_SECRET": "app-canary-1",
    "APP_TOKEN": "app-canary-2",
    "APP_AES_KEY": KEY,
    "AIBOT_TOKEN": "aibot-canary",
    "AIBOT_AES_KEY": KEY,
    "GATEWAY_SECRET": WHSEC,
    "MODEL_KEY": "model-canary-1",
}

SITE = "site: {name: 绿苑社区, city: shanghai}\n"
LEAST = SITE + "channels: {try: {type: simulator}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def read(config: Path, text: str, environ: Mapping[str, str] = {}) -> Settings:
    config.write_text(text, encoding="utf-8")
    return load(config, environ)


def told(config: Path, text: str, environ: Mapping[str, str] = {}) -> list[str]:
    """The faults, as they are printed, with the file's name for its path."""
    config.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyFile) as caught:
        load(config, environ)
    return [str(fault).replace(str(config), "c") for fault in caught.value.faults]


def complete() -> str:
    """The shipped file with everything in it that is commented out."""
    text = SHIPPED.read_text(encoding="utf-8").replace("staff: []", "staff:")
    text = text.replace("#language_model:", "language_model:")
    return re.sub(r"(?m)^#  ", "  ", text).replace("wx…", "wx1234").replace("ww…", "ww1234")


def test_the_shipped_file_enables_only_the_simulator() -> None:
    settings = load(SHIPPED, {})
    assert {name: channel.type for name, channel in settings.channels.items()} == {"try": "simulator"}
    assert settings.secret is None
    assert settings.language_model is None
    assert settings.store.path == SHIPPED.parent / "data" / "lvlin.db"
    assert settings.knowledge == SHIPPED.parent / "knowledge"


def test_the_shipped_file_says_every_default(config: Path) -> None:
    shipped = read(config, SHIPPED.read_text(encoding="utf-8"))
    assert shipped.model_dump() == read(config, LEAST).model_dump()
    written = set(re.findall(r"(?m)^#? *-? ?\{?([a-z_]+):", SHIPPED.read_text(encoding="utf-8")))
    parts = [shipped.site, shipped.server, shipped.store, shipped.group_chat, shipped.matching, shipped.broadcasts]
    known = {name for part in (shipped, shipped.retention, *parts) for name in type(part).model_fields}
    assert known <= written


def test_the_shipped_file_with_everything(config: Path) -> None:
    settings = read(config, complete(), ENVIRONMENT)
    mp: Any = settings.channels["mp"]
    assert (mp.app_id, mp.token, mp.encoding_aes_key, mp.encryption) == ("wx1234", "mp-canary-2", KEY, "secure")
    app: Any = settings.channels["app"]
    assert (app.agent_id, app.secret) == (1000002, "app-canary-1")
    gateway: Any = settings.channels["gateway"]
    assert (gateway.secret, gateway.deliver_url) == (WHSEC, "https://gateway.example.org/deliveries")
    assert (settings.staff[0].channel, settings.staff[0].role, settings.staff[0].place) == ("app", "editor", "luyuan")
    assert settings.secrets() == frozenset(ENVIRONMENT.values())
    assert settings.language_model == LanguageModel(
        api_base="https://api.example.org/v1", api_key="model-canary-1", model="qwen-plus"
    ), "every key of the model stands there with its default"
    written = set(re.findall(r"(?m)^#  ([a-z_]+):", SHIPPED.read_text(encoding="utf-8")))
    assert set(LanguageModel.model_fields) <= written


def test_channels_fit_their_constructors(config: Path) -> None:
    channels: Any = read(config, complete(), ENVIRONMENT).channels
    mp, app, aibot, gateway = channels["mp"], channels["app"], channels["aibot"], channels["gateway"]
    WechatMp("mp", mp.app_id, mp.token, mp.encoding_aes_key, mp.encryption)
    WecomApp("app", app.corp_id, app.agent_id, app.token, app.encoding_aes_key)
    WecomAibot("aibot", aibot.name, aibot.token, aibot.encoding_aes_key)
    Webhook("gateway", gateway.secret)


def test_thresholds_are_named_numbers(config: Path) -> None:
    matching = read(config, LEAST + "matching: {accept: 0.75, infer: 0, speak: 1}").matching
    assert matching.model_dump() == {"accept": 0.75, "scope": 0.12, "infer": 0, "speak": 1, "question": 0.5}


def test_the_thresholds_are_those_of_decisions(config: Path) -> None:
    assert set(read(config, LEAST).matching.model_dump()) == {field.name for field in fields(Thresholds)}


def test_the_least_secret_is_the_vaults() -> None:
    assert LEAST_SECRET_BYTES == vault.LEAST_SECRET_BYTES


def test_the_contracts_example_can_be_written_as_it_stands(config: Path) -> None:
    text = LEAST.replace("channels: {", "secret: ${LVLIN_SECRET}\nchannels: {").replace(
        "{try:",
        "{mp: {type: wechat_mp, app_id: wx1, app_secret: ${MP_SECRET}, token: ${MP_TOKEN},"
        " encoding_aes_key: ${MP_AES_KEY}, api_base: https://api.weixin.qq.com}, try:",
    )
    mp: Any = read(config, text, ENVIRONMENT).channels["mp"]
    assert (mp.app_secret, mp.encoding_aes_key) == ("mp-canary-1", KEY)


@pytest.mark.parametrize(
    ("environ", "secret"),
    [
        pytest.param({}, None, id="unset"),
        pytest.param({"LVLIN_SECRET": ""}, None, id="empty"),
        pytest.param({"LVLIN_SECRET": "k" * 16}, "k" * 16, id="set"),
    ],
)
def test_only_the_site_secret_may_be_unset(config: Path, environ: dict[str, str], secret: str | None) -> None:
    assert read(config, LEAST + "secret: ${LVLIN_SECRET}", environ).secret == secret


def test_text_and_numbers_come_from_the_environment(config: Path) -> None:
    text = "site: {name: 绿苑${WHICH}社区, city: ${CITY}}\nserver: {port: ${PORT}}\nchannels: {}"
    settings = read(config, text, {"WHICH": "第二", "CITY": "beijing", "PORT": "9090"})
    assert (settings.site.name, settings.site.city, settings.server.port) == ("绿苑第二社区", "beijing", 9090)


def test_what_the_environment_holds_is_not_read_again(config: Path) -> None:
    text = "site: {name: ${A}, city: shanghai}\nchannels: {}"
    assert read(config, text, {"A": "x: ${B} #1"}).site.name == "x: ${B} #1"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        pytest.param("sqlite:data/x.db", "{folder}/data/x.db", id="relative-to-the-file"),
        pytest.param("sqlite:/var/lib/x.db", "/var/lib/x.db", id="absolute"),
        pytest.param("sqlite:绿邻 数据.db", "{folder}/绿邻 数据.db", id="any-name"),
    ],
)
def test_store_path(config: Path, url: str, path: str) -> None:
    assert read(config, LEAST + f'store: {{url: "{url}"}}').store.path == Path(path.format(folder=config.parent))


def test_relative_paths_do_not_count_from_here(config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    config.write_text(LEAST + "knowledge: k", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = load(Path("../config.yaml"), {})
    assert settings.knowledge.resolve() == tmp_path / "k"
    assert settings.store.path.resolve() == tmp_path / "data" / "lvlin.db"


@pytest.mark.parametrize(
    ("written", "encryption"),
    [
        pytest.param(f"encoding_aes_key: {KEY}", "secure", id="secure-with-a-key"),
        pytest.param("", "plain", id="plain-without"),
        pytest.param(f"encoding_aes_key: {KEY}, encryption: plain", "plain", id="plain-with-a-key"),
        pytest.param(f"encoding_aes_key: {KEY}, encryption: compatible", "compatible", id="compatible"),
    ],
)
def test_encryption(config: Path, written: str, encryption: str) -> None:
    mp: Any = read(config, SITE + f"channels: {{mp: {{type: wechat_mp, app_id: a, token: t, {written}}}}}").channels[
        "mp"
    ]
    assert mp.encryption == encryption


def test_an_address_loses_its_last_slash(config: Path) -> None:
    text = SITE + f"channels: {{g: {{type: webhook, secret: {WHSEC}, deliver_url: http://127.0.0.1:9/}}}}"
    gateway: Any = read(config, text).channels["g"]
    assert gateway.deliver_url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "address",
    ["https://api.example.org/v1", "http://127.0.0.1:1/v1", "http://192.168.1.9/v1", "http://[::1]:80", "http://ollama:1"],
)
def test_where_residents_words_may_go(config: Path, address: str) -> None:
    model = read(config, LEAST + f"language_model: {{api_base: '{address}/', model: m}}").language_model
    assert model is not None
    assert (model.api_base, model.api_key) == (address, None)


def test_timezone(config: Path) -> None:
    text = "site: {name: x, city: y, timezone: Asia/Urumqi}\nchannels: {}"
    assert read(config, text).site.timezone == ZoneInfo("Asia/Urumqi")


MP = "channels:\n  mp:\n    type: wechat_mp\n    app_id: wx1\n    token: t0ken\n    "
MODEL = "language_model:\n  model: m\n  api_base: https://m.example.org/v1\n  "
GATEWAY = "channels:\n  g:\n    type: webhook\n    "


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("", "the file holds no settings (c:1)", id="empty"),
        pytest.param("- a", "the file holds no settings (c:1)", id="list"),
        pytest.param("channels: {}", "site is missing (c:1) — add it", id="no-site"),
        pytest.param(SITE, "channels is missing (c:1) — add it", id="no-channels"),
        pytest.param("site: {name: x}\nchannels: {}", "site.city is missing (c:1)", id="no-city"),
        pytest.param(
            "site: {name: '', city: x}\nchannels: {}", "site.name is '' (c:1) — write at least 1", id="no-name"
        ),
        pytest.param("site: {name: x, city: Shanghai}\nchannels: {}", "site.city is 'Shanghai' (c:1)", id="city"),
        pytest.param(
            "site:\n  name: x\n  city: x\n  timezone: Asia/Shangai\nchannels: {}",
            "site.timezone is no time zone known here (c:4) — did you mean 'Asia/Shanghai'?",
            id="zone-typo",
        ),
        pytest.param(
            "site: {name: x, city: x, timezone: ../../etc}\nchannels: {}", "no time zone", id="zone-is-a-path"
        ),
        pytest.param("site: {name: x, city: x, timezone: Asia}\nchannels: {}", "no time zone", id="zone-is-a-folder"),
        pytest.param(
            "site: {name: x, city: x, timezone: 8}\nchannels: {}", "is not a time zone", id="zone-is-a-number"
        ),
        pytest.param(LEAST + "chanels: {}", "unknown key chanels (c:3) — did you mean 'channels'?", id="key"),
        pytest.param(
            LEAST + "server: {prot: 1}", "unknown key server.prot (c:3) — did you mean 'port'?", id="key-inside"
        ),
        pytest.param(LEAST + "server: {port: '80'}", "server.port is '80' (c:3) — write a whole", id="quoted-port"),
        pytest.param(
            LEAST + "server: {port: 65536}", "server.port is 65536 (c:3) — write at most 65535", id="high-port"
        ),
        pytest.param(LEAST + "server: {port: 0800}", "server.port is '0800' (c:3)", id="octal-port"),
        pytest.param(
            LEAST + "server: {host: no}\nserver: {}", "key 'server' stands twice (first in line 3)", id="twice"
        ),
        pytest.param(LEAST + "server:", "server is empty (c:3) — write keys and values", id="empty-section"),
        pytest.param(
            LEAST + "store: {url: postgresql://u:hunter2@h/db}",
            "store.url is PostgreSQL, which comes with a later release (c:3)",
            id="postgresql",
        ),
        pytest.param(LEAST + "store: {url: data/x.db}", "store.url is no store known here (c:3)", id="no-scheme"),
        pytest.param(LEAST + "store: {url: sqlite:///x.db}", "store.url is no store known here (c:3)", id="slashes"),
        pytest.param(LEAST + "store: {url: 'sqlite::memory:'}", "store.url is no store known here (c:3)", id="memory"),
        pytest.param(LEAST + "store: {url: 'sqlite:'}", "store.url is no store known here (c:3)", id="no-path"),
        pytest.param(LEAST + "secret: hunter2", "secret is shorter than 16 bytes (c:3)", id="short-secret"),
        pytest.param(LEAST + "knowledge: 3", "knowledge is not a path (c:3)", id="knowledge"),
        pytest.param(
            LEAST + "group_chat: {speak: confidant}",
            "speak is 'confidant' (c:3) — use 'mentioned', 'confident' or 'always'; did you mean 'confident'?",
            id="word",
        ),
        pytest.param(
            LEAST + "group_chat: {recent_minutes: -1}", "recent_minutes is -1 (c:3) — write at least 0", id="low"
        ),
        pytest.param(LEAST + "matching: {accept: 1.01}", "matching.accept is 1.01 (c:3) — write at most 1", id="share"),
        pytest.param(
            LEAST + "matching: {accept: 50%}", "matching.accept is '50%' (c:3) — write a number", id="percent"
        ),
        pytest.param(LEAST + "retention: {text_days: 36501}", "write at most 36500", id="a-hundred-years"),
        pytest.param(LEAST + "retention: {text_days: 1.5}", "retention.text_days is 1.5 (c:3)", id="half-a-day"),
        pytest.param(LEAST + "broadcasts: {quiet_hours: ['21:00']}", "quiet_hours[1] is missing", id="one-hour"),
        pytest.param(LEAST + "broadcasts: {quiet_hours: ['21:00', '24:00']}", "is not a time of day (c:3)", id="24:00"),
        pytest.param(LEAST + "broadcasts: {quiet_hours: 21:00-08:00}", "quiet_hours is '21:00-08:00'", id="hours-text"),
        pytest.param(
            LEAST + "staff:\n- {channel: tri, user: u, name: n, role: editor}",
            "staff[0].channel is 'tri' (c:4) — did you mean 'try'?",
            id="staff-channel-typo",
        ),
        pytest.param(
            LEAST + "staff:\n- {channel: app, user: u, name: n, role: editor}",
            "staff[0].channel is 'app' (c:4) — configure a channel of that name",
            id="staff-channel",
        ),
        pytest.param(
            LEAST + "staff:\n- {channel: try, user: u, name: n, role: editr}",
            "staff[0].role is 'editr' (c:4) — use 'viewer', 'editor', 'approver' or 'admin'; did you mean 'editor'?",
            id="staff-role",
        ),
        pytest.param(
            LEAST + "staff:\n" + "- {channel: try, user: u, name: n, role: admin}\n" * 2,
            "staff[1] stands already in line 4 (c:5)",
            id="staff-twice",
        ),
        pytest.param(LEAST + "staff: {channel: try}", "staff is a mapping (c:3) — write a list", id="staff-mapping"),
        pytest.param(
            SITE + "channels: {a b: {type: simulator}}", "cannot be a channel's name (c:2)", id="channel-name"
        ),
        pytest.param(
            SITE + "channels:\n  x:\n    type: simulater", "channels.x.type is 'simulater' (c:3)", id="channel-type"
        ),
        pytest.param(SITE + "channels: {x: {}}", "channels.x.type is missing (c:2)", id="no-type"),
        pytest.param(SITE + "channels: {x: simulator}", "channels.x is a text (c:2)", id="type-alone"),
        *(
            pytest.param(
                SITE + f"channels:\n  x:\n    key: k\n    type: {later}",
                f"channels.x.type is '{later}', which comes with a later release (c:5)",
                id=later,
            )
            for later in ("wecom_group", "wecom_customer_group", "wechat_kf")
        ),
        pytest.param(
            SITE + "channels:\n  x:\n    type: wecom_aibot\n    mode: websocket\n    bot_id: b\n    secret: s",
            "channels.x.mode is 'websocket', which comes with a later release (c:5) — write mode: callback",
            id="websocket",
        ),
        pytest.param(SITE + MP + "tokn: x", "unknown key channels.mp.tokn (c:7) — did you mean 'token'?", id="tokn"),
        pytest.param(SITE + MP + "encryption: secure", "channels.mp has encryption: secure but no", id="secure-no-key"),
        pytest.param(SITE + MP + "encryption: compatible", "has encryption: compatible but no", id="compatible-no-key"),
        pytest.param(SITE + MP + "encryption: aes", "channels.mp.encryption is 'aes' (c:7)", id="encryption"),
        pytest.param(SITE + MP + f"encoding_aes_key: {KEY[1:]}", "encoding_aes_key is not 43 letters", id="42-letters"),
        pytest.param(
            SITE + MP + f"encoding_aes_key: {KEY}=", "encoding_aes_key is not 43 letters", id="key-with-padding"
        ),
        pytest.param(SITE + MP + f"encoding_aes_key: {KEY[1:]}é", "not 43 letters", id="key-not-ascii"),
        pytest.param(SITE + MP + "api_base: api.weixin.qq.com", "api_base is not an address (c:7)", id="no-https"),
        pytest.param(SITE + MP + "api_base: https://u:hunter2@h", "api_base is not an address (c:7)", id="credentials"),
        pytest.param(SITE + MP + "api_base: 'https://h:99999'", "api_base is not an address (c:7)", id="address-port"),
        pytest.param(
            SITE + GATEWAY + "secret: MfKQ9r8GKYqr", "channels.g.secret is not whsec_ and base64", id="no-whsec"
        ),
        pytest.param(SITE + GATEWAY + "secret: whsec_!!", "channels.g.secret is not whsec_ and base64", id="no-base64"),
        pytest.param(SITE + GATEWAY + "secret: whsec_", "channels.g.secret is not whsec_ and base64", id="empty-whsec"),
        pytest.param(
            SITE + GATEWAY + "secret: ''", "channels.g.secret is a text (c:5) — write at least 1", id="no-secret"
        ),
        pytest.param(LEAST + "language_model:", "language_model is empty (c:3) — write keys", id="model-empty"),
        pytest.param(LEAST + "language_model: {model: m}", "model.api_base is missing (c:3)", id="model-where"),
        pytest.param(
            LEAST + "language_model:\n  api_base: https://h/v1", "model.model is missing (c:3)", id="no-model"
        ),
        pytest.param(
            LEAST + MODEL + "api_kee: x", "unknown key language_model.api_kee (c:6) — did you mean 'api_key'?",
            id="model-key",
        ),
        pytest.param(LEAST + MODEL + "api_key: sk-xxxx…", "api_key is a placeholder (c:6)", id="model-placeholder"),
        pytest.param(
            LEAST + MODEL + "api_key: ${NO_SUCH}", "variable NO_SUCH, which is not set (c:6)", id="model-unset"
        ),
        pytest.param(LEAST + MODEL + "deadline_seconds: 4", "deadline_seconds is 4 (c:6) — write at most 3", id="slow"),
        pytest.param(LEAST + MODEL + "deadline_seconds: 0", "deadline_seconds is 0 (c:6) — write at least", id="fast"),
        pytest.param(LEAST + MODEL + "calls_a_day: 0", "calls_a_day is 0 (c:6) — write at least 1", id="no-calls"),
        pytest.param(LEAST + MODEL + "sure: 60", "sure is 60 (c:6) — write at most 1", id="sure"),
        *(
            pytest.param(
                LEAST + f"language_model:\n  model: m\n  api_base: http://{host}/v1",
                "language_model.api_base sends residents' words unencrypted to another network (c:5) — write https://",
                id=f"model-{host}",
            )
            for host in ("api.example.org", "8.8.8.8", "127.0.0.1.example.org")
        ),
        pytest.param(SITE + GATEWAY + "deliver_url: http://h", "channels.g.secret is missing (c:3)", id="unsigned"),
    ],
)
def test_refused(config: Path, text: str, fault: str) -> None:
    found = told(config, text)
    assert any(fault in each for each in found), found
    assert all(re.search(r" \(c:[0-9]+\) — ", each) and "\n" not in each for each in found)
    assert "hunter2" not in " ".join(found)


@pytest.mark.parametrize(
    "placeholder",
    (
        "… ... whsec_… changeme CHANGE_ME change-me-please xxx XXXXXXXX xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        " your-token <token> TODO secret password placeholder 0000 '***' whsec_xxxx replace_me"
    ).split(),
)
def test_placeholders_are_refused(config: Path, placeholder: str) -> None:
    found = told(config, SITE + f"channels:\n  mp:\n    type: wechat_mp\n    app_id: a\n    token: {placeholder}")
    assert [fault.split(" — ")[0] for fault in found] == ["channels.mp.token is a placeholder (c:6)"]


@pytest.mark.parametrize("app_id", ["wx…", "wxxxxxxxxxx", "your-app-id"])
def test_placeholder_ids_are_refused(config: Path, app_id: str) -> None:
    found = told(config, SITE + f"channels:\n  mp: {{type: wechat_mp, app_id: {app_id}, token: t}}")
    assert found[0].startswith("channels.mp.app_id is a placeholder (c:3)")


def test_a_placeholder_in_the_environment_is_refused(config: Path) -> None:
    found = told(config, SITE + MP.replace("t0ken", "${MP_TOKEN}"), {"MP_TOKEN": "changeme"})
    assert found[0].startswith("channels.mp.token is a placeholder (c:6)")


@pytest.mark.parametrize(
    ("written", "environ", "fault"),
    [
        pytest.param(
            "${MP_TOKEN}", {}, "channels.mp.token needs the variable MP_TOKEN, which is not set (c:6)", id="unset"
        ),
        pytest.param("${MP_TOKEN}", {"MP_TOKEN": ""}, "needs the variable MP_TOKEN, which is empty (c:6)", id="empty"),
        pytest.param("a${B}${C}", {"C": "c"}, "needs the variable B, which is not set (c:6)", id="one-of-two"),
        pytest.param("${LVLIN_SECRET}", {}, "needs the variable LVLIN_SECRET, which is not set", id="another-place"),
        pytest.param(
            "${A}", {"A": "x\n"}, "needs the variable A, which holds control characters (c:6)", id="line-break"
        ),
        pytest.param("${A}", {"A": "x\udcff"}, "needs the variable A, which holds control characters", id="no-text"),
        pytest.param("${A-B}", {}, "channels.mp.token has ${ without a variable's name (c:6)", id="no-name"),
        pytest.param("${A", {"A": "a"}, "channels.mp.token has ${ without a variable's name (c:6)", id="unclosed"),
    ],
)
def test_variables_that_cannot_be_read(config: Path, written: str, environ: dict[str, str], fault: str) -> None:
    found = told(config, SITE + MP.replace("t0ken", written), environ)
    assert len(found) == 1
    assert fault in found[0]


def test_the_site_secret_needs_its_own_variable(config: Path) -> None:
    assert told(config, LEAST + "secret: ${OTHER}")[0].startswith(
        "secret needs the variable OTHER, which is not set (c:3)"
    )


def test_every_fault_is_told_in_order(config: Path) -> None:
    text = (
        "site: {name: 12, city: shanghai}\n"
        "server: {prot: 1, port: x}\n"
        "secret: ${NOT_SET}\n"
        "staff: [{channel: nobody, user: u, name: n, role: chief}]\n"
        "channels:\n"
        "  mp: {type: wechat_mp, token: 12345, encryption: secure}\n"
        "  board: {type: wecom_group}\n"
        "  g: {type: webhook, secret: *alias}\n"
        "  mp: {}\n"
    )
    lines = [int(found[1]) for fault in told(config, text) if (found := re.search(r"\(c:([0-9]+)\)", fault))]
    assert lines == [1, 2, 2, 3, 4, 4, 6, 6, 7, 8, 9]


CANARIES = ("canary7canary7", "31337")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("token: 31337", id="a-number"),
        pytest.param("token: [canary7canary7]", id="a-list"),
        pytest.param("token: {a: canary7canary7}", id="a-mapping"),
        pytest.param("token: !canary7canary7 x", id="a-tag"),
        pytest.param("token: *canary7canary7", id="an-alias"),
        pytest.param("token: t\n    encoding_aes_key: canary7canary7", id="a-short-key"),
        pytest.param("token: t\n    encoding_aes_key: ${CANARY}", id="a-short-key-of-the-environment"),
        pytest.param("token: t\n    api_base: ${CANARY}", id="elsewhere-from-the-environment"),
        pytest.param("token: t\n    encryption: ${CANARY}", id="a-word-from-the-environment"),
        pytest.param("tokken: canary7canary7", id="under-a-wrong-key"),
        pytest.param("token: t\nlanguage_model: {api_key: [canary7canary7]}", id="the-key-of-a-model"),
        pytest.param("token: t\n    token: canary7canary7", id="twice"),
        pytest.param("token: canary7canary7: x", id="not-readable"),
        pytest.param("token: 'canary7canary7", id="open-quote"),
        pytest.param("token: '${CANARY}${'", id="half-a-variable"),
    ],
)
def test_a_secret_is_never_shown(config: Path, written: str) -> None:
    text = SITE + f"channels:\n  mp:\n    type: wechat_mp\n    app_id: a\n    {written}\n"
    found = " ".join(told(config, text, {"CANARY": CANARIES[0]}))
    assert not any(canary in found for canary in CANARIES)


def test_settings_do_not_show_their_secrets(config: Path) -> None:
    settings = read(config, complete(), ENVIRONMENT | {"LVLIN_SECRET": "site-secret-canary"})
    assert not any(secret in repr(settings) for secret in settings.secrets())
    assert "site-secret-canary" in settings.secrets()


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        pytest.param(lambda path: None, "the file does not exist (c:1) — name it with --config PATH", id="absent"),
        pytest.param(lambda path: path.mkdir(), "the file cannot be read: Is a directory (c:1)", id="folder"),
        pytest.param(
            lambda path: path.write_bytes("site: 绿".encode("gb18030")), "the file is not UTF-8 (c:1)", id="gbk"
        ),
    ],
)
def test_files_that_cannot_be_read(config: Path, make: Any, fault: str) -> None:
    make(config)
    with pytest.raises(FaultyFile) as caught:
        load(config, {})
    assert str(caught.value).replace(str(config), "c").startswith(fault)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        pytest.param(LEAST + "knowledge: k", "k", id="right"),
        pytest.param("knowledge: k\nsite: 3", "k", id="other-faults"),
        pytest.param("knowledge: 3", "knowledge", id="no-path"),
        pytest.param("a: [", "knowledge", id="not-readable"),
    ],
)
def test_the_knowledge_is_found_in_any_case(config: Path, text: str, folder: str) -> None:
    config.write_text(text, encoding="utf-8")
    assert examine(config, {}).knowledge == config.parent / folder


def test_staff_of_unknown_places(config: Path) -> None:
    members = "\n".join(
        f"- {{channel: try, user: u{n}, name: n, role: editor{place}}}"
        for n, place in enumerate(["", ", place: luyuan", ", place: luyaun", ", place: xyz"])
    )
    settings = read(config, LEAST + f"staff:\n{members}")
    faults = staff_faults(settings, {"luyuan", "qinghe"})
    assert [str(fault).replace(str(config), "c") for fault in faults] == [
        "staff[2].place is 'luyaun' (c:6) — did you mean 'luyuan'?",
        "staff[3].place is 'xyz' (c:7) — use one of luyuan, qinghe",
    ]


def mutations() -> list[str]:
    """The complete file, each time with one letter of one key left out."""
    text = complete()
    code = re.sub(r"#.*", lambda comment: " " * len(comment[0]), text)
    keys = re.finditer(r"(?m)(?<=[{ \n])([a-z_]{3,}):(?= |$)", code)
    named = ("try", "app", "gateway", "aibot")  # the names of channels are free
    return [text[: key.start() + 1] + text[key.start() + 2 :] for key in keys if key[1] not in named]


def test_no_key_can_be_misspelt(config: Path) -> None:
    changed = mutations()
    assert len(changed) > 50
    for text in changed:
        assert told(config, text, ENVIRONMENT)
