"""config.yaml and the environment → one frozen Settings, or every fault with its line."""

from __future__ import annotations

import binascii
import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from bot import strict_yaml
from bot.errors import Fault, FaultyFile
from bot.records import Role
from bot.strict_yaml import Document, Place

LEAST_SECRET_BYTES = 16
"""The shortest site secret; bot.vault refuses a shorter one too."""

_LATER_TYPES = ("wecom_group", "wecom_customer_group", "wechat_kf")
_SECRET_KEYS = frozenset({"secret", "app_secret", "token", "encoding_aes_key", "key", "api_key"})
_WRITTEN_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Inside {…} YAML ends a plain text at a brace, so ${NAME} is read as these private characters, of the same length.
_VARIABLE = re.compile("\ue000\ue001([A-Za-z_][A-Za-z0-9_]*)\ue002")
_SITE_SECRET = "\ue000\ue001LVLIN_SECRET\ue002"
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_PLACEHOLDER = re.compile(
    r".*(…|\.\.\.|change[-_ ]?me|replace[-_ ]?me).*|(whsec_|wx|ww)?(x{3,}|\*{3,}|0{3,})|your[-_ ].*|<.*>"
    r"|placeholder|example|todo|tbd|fixme|secret|password",
    re.IGNORECASE | re.DOTALL,
)


class FromEnvironment(str):
    """A text that holds something read from the environment: it is never shown."""

    __slots__ = ()


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _number_from_environment(value: object) -> object:
    return int(value) if isinstance(value, FromEnvironment) and _DIGITS.fullmatch(value) else value


def _no_placeholder(value: str) -> str:
    if _PLACEHOLDER.fullmatch(value):
        raise ValueError("is a placeholder — write the real value, or ${NAME} to read it from the environment")
    return value


def _aes_key(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{43}", value):
        raise ValueError("is not 43 letters and digits — copy EncodingAESKey from the platform's console")
    return value


def _webhook_secret(value: str) -> str:
    encoded = value.removeprefix("whsec_")
    try:
        key = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        key = b""
    if encoded == value or not key:
        raise ValueError("is not whsec_ and base64 — make one with: echo whsec_$(openssl rand -base64 24)")
    return value


def _site_secret(value: str) -> str:
    if len(value.encode()) < LEAST_SECRET_BYTES:
        raise ValueError(f"is shorter than {LEAST_SECRET_BYTES} bytes — make one with: openssl rand -hex 32")
    return value


def _given(value: object) -> object:
    if value is None:
        raise ValueError("is empty — write keys and values, or put # before it")
    return value


def _address(value: str) -> str:
    """An http(s) address without the slash at its end."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s@#]", value):
        raise ValueError("is not an address — write https://host, with a port and a path where there are any")
    return value.rstrip("/")


def _safe_address(value: str) -> str:
    """An address that residents' words may be sent to: https, unless they stay in the house."""
    parts = urlsplit(value)
    if parts.scheme == "http" and not _in_the_house(parts.hostname or ""):
        raise ValueError("sends residents' words unencrypted to another network — write https://")
    return value


def _in_the_house(host: str) -> bool:
    """Whether a host is this machine or one of its own network: a private address, or a name without a dot."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _city(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        raise ValueError(f"is '{value}' — write it as the files in cities/ of the knowledge, such as shanghai")
    return value


def _zone(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not a time zone — write one like Asia/Shanghai")
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        near = difflib.get_close_matches(value, available_timezones(), n=1)
        mend = f"did you mean '{near[0]}'?" if near else "write one like Asia/Shanghai"
        raise ValueError(f"is no time zone known here — {mend}") from exc


def _folder(info: ValidationInfo) -> Path:
    assert isinstance(info.context, Path)
    return info.context


def _path(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str) or not value:
        raise ValueError("is not a path — write the folder's name, such as knowledge")
    return _folder(info) / value


def _store_url(value: str, info: ValidationInfo) -> str:
    scheme, _, path = value.partition(":")
    if scheme in ("postgresql", "postgres"):
        raise ValueError("is PostgreSQL, which comes with a later release — write sqlite:data/lvlin.db")
    if scheme != "sqlite" or not path or path.startswith(("//", ":")):
        raise ValueError("is no store known here — write sqlite: and a path, such as sqlite:data/lvlin.db")
    return f"sqlite:{_folder(info) / path}"


def _clock(value: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError('is not a time of day — write it as "21:00"')
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        raise ValueError("cannot be a channel's name — use letters, digits, - and _: it becomes part of an address")
    return value


Text = Annotated[str, StringConstraints(min_length=1)]
City = Annotated[str, AfterValidator(_city)]
Name = Annotated[str, AfterValidator(_name)]
Secret = Annotated[Text, AfterValidator(_no_placeholder)]
Identity = Annotated[Text, AfterValidator(_no_placeholder)]
AesKey = Annotated[Secret, AfterValidator(_aes_key)]
WebhookSecret = Annotated[Secret, AfterValidator(_webhook_secret)]
SiteSecret = Annotated[Secret, AfterValidator(_site_secret)]
Address = Annotated[Text, AfterValidator(_address)]
SafeAddress = Annotated[Address, AfterValidator(_safe_address)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Folder = Annotated[Path, BeforeValidator(_path)]
Clock = Annotated[str, AfterValidator(_clock)]
Count = Annotated[int, Field(ge=0, le=36_500), BeforeValidator(_number_from_environment)]
Port = Annotated[int, Field(ge=0, le=65_535), BeforeValidator(_number_from_environment)]
Number = Annotated[int, Field(ge=0), BeforeValidator(_number_from_environment)]
Share = Annotated[float, Field(ge=0, le=1)]
Calls = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_number_from_environment)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What repr shows: no secret, in case it gets into a traceback."""
        for key, value in super().__repr_args__():
            yield key, "***" if key in _SECRET_KEYS and value else value


class Site(_Strict):
    """The community: its name, the city whose bins apply, and the time zone of its days."""

    name: Text
    city: City
    timezone: Zone = ZoneInfo("Asia/Shanghai")


class Server(_Strict):
    """Where `serve` listens; port 0 takes any that is free."""

    host: Text = "127.0.0.1"
    port: Port = 8080


class StoreSettings(_Strict):
    """Where everything is kept. `url` is `sqlite:` and an absolute path."""

    url: Annotated[Text, AfterValidator(_store_url)] = Field(default="sqlite:data/lvlin.db", validate_default=True)

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(self.url.removeprefix("sqlite:"))


class GroupChat(_Strict):
    """Manners in a group. `speak`: answer only when mentioned, also when sure, or always.

    The same answer is not given twice within `recent_minutes`, nobody is answered unasked twice within
    `cooldown_seconds`, and the bot is silent for `staff_quiet_minutes` after staff spoke.
    """

    speak: Literal["mentioned", "confident", "always"] = "confident"
    recent_minutes: Count = 10
    cooldown_seconds: Count = 60
    staff_quiet_minutes: Count = 5


class Matching(_Strict):
    """The named thresholds of a decision, from 0 to 1.

    accept: answer from here · scope: how much a line must look like a question for a topic to answer it
    infer: say an inferred bin of a list from here
    speak: speak up unasked in a group from here · question: how much an unasked line must look like a question
    """

    accept: Share = 0.33
    scope: Share = 0.12
    infer: Share = 0.5
    speak: Share = 0.85
    question: Share = 0.5


class Staff(_Strict):
    """One member of staff: who they are on a channel, and for which branch of the place tree ("": all of it)."""

    channel: Text
    user: Text
    name: Text
    role: Role
    place: str = ""


class Broadcasts(_Strict):
    """Limits of reminders: not between these two times, at most so many a week for one resident, and a second person
    must approve what goes to more than `approve_over` chats."""

    quiet_hours: Annotated[tuple[Clock, Clock], BeforeValidator(_as_tuple)] = ("21:00", "08:00")
    weekly_cap: Count = 3
    approve_over: Count = 1


class Retention(_Strict):
    """How many days texts and records are kept."""

    text_days: Count = 90
    record_days: Count = 1095


class LanguageModel(_Strict):
    """A model behind an OpenAI-compatible endpoint, asked to choose an entry where the matcher is unsure.

    `api_base` is what stands before /chat/completions. A message of which the best reading scores below `sure` is
    unsure. The model may take until `deadline_seconds` after the message arrived.
    """

    api_base: SafeAddress
    api_key: Secret | None = None
    model: Text
    sure: Share = 0.6
    deadline_seconds: Annotated[float, Field(ge=0.5, le=3)] = 2.0
    calls_a_minute: Calls = 30
    calls_a_day: Calls = 1000


class WechatMp(_Strict):
    """微信公众号."""

    type: Literal["wechat_mp"]
    app_id: Identity
    app_secret: Secret | None = None
    token: Secret
    encoding_aes_key: AesKey | None = None
    encryption: Literal["secure", "compatible", "plain"]
    api_base: Address = "https://api.weixin.qq.com"

    @model_validator(mode="before")
    @classmethod
    def _choose(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {"encryption": "plain" if value.get("encoding_aes_key") is None else "secure", **value}

    @model_validator(mode="after")
    def _has_key(self) -> WechatMp:
        if self.encryption != "plain" and self.encoding_aes_key is None:
            raise ValueError(
                f"has encryption: {self.encryption} but no encoding_aes_key — add the key, or write encryption: plain"
            )
        return self


class WecomApp(_Strict):
    """企业微信自建应用; without `agent_id` every app of the corp that has the key."""

    type: Literal["wecom_app"]
    corp_id: Identity
    agent_id: Number | None = None
    secret: Secret | None = None
    token: Secret
    encoding_aes_key: AesKey
    api_base: Address = "https://qyapi.weixin.qq.com"


class WecomAibot(_Strict):
    """企业微信智能机器人 by callback; `name` is what residents mention."""

    type: Literal["wecom_aibot"]
    mode: Literal["callback"] = "callback"
    name: Text
    token: Secret
    encoding_aes_key: AesKey


class Webhook(_Strict):
    """Any other gateway; without `deliver_url` it gets answers but no messages of ours."""

    type: Literal["webhook"]
    secret: WebhookSecret
    deliver_url: Address | None = None


class Simulator(_Strict):
    """The built-in page."""

    type: Literal["simulator"]


ChannelSettings = Annotated[WechatMp | WecomApp | WecomAibot | Webhook | Simulator, Field(discriminator="type")]


class Settings(_Strict):
    """Everything config.yaml says, with its defaults. `secret` is None when LVLIN_SECRET alone is unset."""

    site: Site
    server: Server = Server()
    store: StoreSettings = Field(default_factory=dict, validate_default=True)
    secret: SiteSecret | None = None
    knowledge: Folder = Field(default="knowledge", validate_default=True)
    group_chat: GroupChat = GroupChat()
    matching: Matching = Matching()
    staff: Annotated[tuple[Staff, ...], BeforeValidator(_as_tuple)] = ()
    broadcasts: Broadcasts = Broadcasts()
    retention: Retention = Retention()
    language_model: Annotated[LanguageModel | None, BeforeValidator(_given)] = None
    channels: dict[Name, ChannelSettings]

    _document: Document = PrivateAttr()

    def secrets(self) -> frozenset[str]:
        """Every secret value, so that none of them is ever logged."""
        found = {self.secret} if self.secret else set()
        for channel in self.channels.values():
            found |= {value for key, value in channel if key in _SECRET_KEYS and value}
        if self.language_model and self.language_model.api_key:
            found.add(self.language_model.api_key)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a config file says: the settings or None, every fault, and the knowledge folder it means in any case."""

    settings: Settings | None
    faults: tuple[Fault, ...]
    knowledge: Path


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in the file at `path`, with `${NAME}` read from `environ`. Raises FaultyFile with every fault."""
    examined = examine(path, environ)
    if examined.settings is None:
        raise FaultyFile(examined.faults)
    return examined.settings


def examine(path: Path, environ: Mapping[str, str]) -> Examined:
    """As `load`, but a file with faults is told, not raised."""
    folder = path.absolute().parent
    document, faults = _read(path)
    value = document.value
    if not faults and not isinstance(value, dict):
        faults = [Fault(str(path), 1, "the file holds no settings", "begin it with: site: {name: …, city: …}")]
    if not isinstance(value, dict):
        return Examined(None, tuple(faults), folder / "knowledge")
    document = _with_environment(document, environ, faults)
    document = _without_later_channels(document, faults)
    faults += _unknown_staff_channels(document) + _repeated_staff(document)
    found = strict_yaml.validate(Settings, document, context=folder, hidden=_is_secret)
    if isinstance(found, list):
        faults += found
    else:
        found._document = document
    settings = found if isinstance(found, Settings) and not faults else None
    return Examined(settings, tuple(sorted(faults, key=lambda fault: fault.line)), _knowledge(document, folder))


def staff_faults(settings: Settings, place_ids: Collection[str]) -> list[Fault]:
    """A fault for each member of staff whose place is not in the knowledge."""
    faults = []
    for n, member in enumerate(settings.staff):
        if member.place and member.place not in place_ids:
            name = f"staff[{n}].place is '{member.place}'"
            faults.append(_fault(settings._document, ("staff", n, "place"), name, _near(member.place, place_ids)))
    return faults


def _read(path: Path) -> tuple[Document, list[Fault]]:
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        fault = Fault(file, 1, "the file does not exist", "name it with --config PATH or LVLIN_CONFIG")
    except OSError as exc:
        fault = Fault(file, 1, f"the file cannot be read: {exc.strerror}", "make it readable for this user")
    except UnicodeDecodeError:
        fault = Fault(file, 1, "the file is not UTF-8", "save it as UTF-8 text")
    else:
        return strict_yaml.parse(_WRITTEN_VARIABLE.sub("\ue000\ue001\\1\ue002", text), file)
    return Document(file, None, {}), [fault]


def _knowledge(document: Document, folder: Path) -> Path:
    written = document.value.get("knowledge")
    return folder / written if isinstance(written, str) else folder / "knowledge"


def _fault(document: Document, place: Place, what: str, mend: str) -> Fault:
    return Fault(document.file, document.line(place), what, mend)


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else "use one of " + ", ".join(sorted(known))


def _is_secret(place: Place, value: object) -> bool:
    return isinstance(value, FromEnvironment) or any(part in _SECRET_KEYS for part in place)


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text in a value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict | list):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*place, part))


def _with_environment(document: Document, environ: Mapping[str, str], faults: list[Fault]) -> Document:
    """The document with each `${NAME}` read from the environment; what cannot be read becomes a fault."""
    read: dict[Place, str | None] = {}
    lacking: set[Place] = set()
    for place, text in _texts(document.value, ()):
        if "${" not in text and not _VARIABLE.search(text):
            continue
        if place == ("secret",) and text == _SITE_SECRET and not environ.get("LVLIN_SECRET"):
            read[place] = None
        elif problems := _problems(text, environ):
            faults += [_fault(document, place, f"{strict_yaml.name(place)} {what}", mend) for what, mend in problems]
            read[place] = None
            lacking.add(place)
        else:
            read[place] = FromEnvironment(_VARIABLE.sub(lambda found: environ[found[1]], text))
    return replace(document, value=_replaced(document.value, (), read), faulty=document.faulty | lacking)


def _problems(text: str, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with the variables in a text, and how to mend it."""
    problems = []
    for name in dict.fromkeys(_VARIABLE.findall(text)):
        if not environ.get(name):
            state = "empty" if name in environ else "not set"
            problems.append((f"needs the variable {name}, which is {state}", f"set {name} before starting"))
        elif not environ[name].isprintable():
            problems.append((f"needs the variable {name}, which holds control characters", "set it on one line"))
    if "${" in text:
        problems.append(("has ${ without a variable's name", "write ${NAME}: letters, digits and _"))
    return problems


def _replaced(value: Any, place: Place, new: Mapping[Place, str | None]) -> Any:
    if place in new:
        return new[place]
    if isinstance(value, dict):
        return {key: _replaced(inner, (*place, key), new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, (*place, n), new) for n, inner in enumerate(value)]
    return value


def _mapping(document: Document, key: str) -> dict[str, Any]:
    value = document.value.get(key)
    return value if isinstance(value, dict) else {}


def _without_later_channels(document: Document, faults: list[Fault]) -> Document:
    """The document without the channels this release cannot talk by, each of which becomes a fault."""
    channels = _mapping(document, "channels")
    later = {name: key for name, channel in channels.items() if (key := _later_key(channel))}
    for name, key in later.items():
        what = f"channels.{name}.{key} is '{channels[name][key]}', which comes with a later release"
        mend = "write mode: callback" if key == "mode" else "remove the channel, or put # before its lines"
        faults.append(_fault(document, ("channels", name, key), what, mend))
    if not later:
        return document
    left = {name: channel for name, channel in channels.items() if name not in later}
    return replace(document, value={**document.value, "channels": left})


def _later_key(channel: object) -> str | None:
    if not isinstance(channel, dict):
        return None
    if channel.get("type") in _LATER_TYPES:
        return "type"
    return "mode" if (channel.get("type"), channel.get("mode")) == ("wecom_aibot", "websocket") else None


def _members(document: Document) -> Iterator[tuple[int, Mapping[str, Any]]]:
    staff = document.value.get("staff")
    for n, member in enumerate(staff if isinstance(staff, list) else ()):
        if isinstance(member, dict):
            yield n, member


def _unknown_staff_channels(document: Document) -> list[Fault]:
    channels = _mapping(document, "channels")
    return [
        _fault(document, ("staff", n, "channel"), f"staff[{n}].channel is '{name}'", _near_channel(name, channels))
        for n, member in _members(document)
        if isinstance(name := member.get("channel"), str) and name not in channels
    ]


def _near_channel(name: str, channels: Collection[str]) -> str:
    near = difflib.get_close_matches(name, channels, n=1)
    return f"did you mean '{near[0]}'?" if near else "configure a channel of that name, or use one under channels"


def _repeated_staff(document: Document) -> list[Fault]:
    first: dict[tuple[object, object], int] = {}
    faults = []
    for n, member in _members(document):
        who = (str(member.get("channel")), str(member.get("user")))
        if first.setdefault(who, n) != n:
            line = document.line(("staff", first[who]))
            what = f"staff[{n}] stands already in line {line}"
            faults.append(_fault(document, ("staff", n), what, "keep one of them"))
    return faults
