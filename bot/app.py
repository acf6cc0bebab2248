"""What the bot is made of: the one place where everything is put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot import settings as config
from bot.assembly import explained, kept_versions, knowledge_cache, make_turns, served_knowledge
from bot.brain import Brain
from bot.channels.contract import Channel
from bot.channels.simulator import Simulator
from bot.channels.webhook import Webhook
from bot.channels.wechat_mp import WechatMp
from bot.channels.wecom_aibot import WecomAibot
from bot.channels.wecom_app import WecomApp
from bot.errors import FaultyFile, StoreUnavailable
from bot.health import HEARTBEAT_SECONDS, Health, Metrics, Pulse
from bot.knowledge import LOOK_SECONDS, LiveKnowledge
from bot.learning.child import checked_apart
from bot.learning.desk import Check, Desk
from bot.listen import Listener
from bot.llm.breaker import Breaker
from bot.llm.budget import Budget
from bot.llm.chooser import AT_ONCE, Chooser, Heard
from bot.llm.client import ModelClient
from bot.outbox import Gateway, Mailbox, Sender
from bot.plain_http import BODY_BYTES
from bot.publishing.publish import unpublished
from bot.records import Delivery
from bot.storage.contract import Store
from bot.storage.engines import open_store
from bot.turns import AlertAddresses, Turns
from bot.vault import Vault, load_site_secret
from bot.web import simulator
from bot.webhook import Door, Refusals, StaffRole

log = logging.getLogger("lvlin.app")

BOT_NAME = "小绿"
"""What the bot is called where no channel gives it a name."""

SEND_SECONDS = 1.0
"""How often due deliveries are looked for."""

TEACH_SECONDS = 1.0
"""How often lessons of staff, and what they take back, are looked for."""

RETIRE_SECONDS = 3600.0
"""How often texts and records past their time are retired."""

_ALERTED = frozenset(("editor", "approver", "admin"))
_UNSIGNED = frozenset(("simulator",))


@dataclass(frozen=True, slots=True)
class App:
    """Everything, built and not started. Starting and stopping `web` starts and stops the rest."""

    web: web.Application
    store: Store
    knowledge: LiveKnowledge
    turns: Turns
    door: Door
    sender: Sender
    mailbox: Mailbox
    metrics: Metrics
    vault: Vault
    listener: Listener
    desk: Desk


async def build(
    settings: config.Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    check_lesson: Check = checked_apart,
) -> App:
    """Build the bot and load its knowledge. Raises FaultyFile, VaultError."""
    metrics = Metrics()
    store = open_store(settings.store.path)
    metrics.watch(store)
    vault = make_vault(settings)
    knowledge = LiveKnowledge(
        lambda: served_knowledge(settings),
        keep_in=knowledge_cache(settings),
        city=settings.site.city,
        today=lambda: now().astimezone(settings.site.timezone).date(),
        on_change=metrics.knows,
    )
    await knowledge.load()
    _tell_what_is_served(settings)
    if faults := config.staff_faults(settings, knowledge.brain().places.by_id):
        raise FaultyFile(faults)
    channels = {name: make_channel(name, given) for name, given in settings.channels.items()}
    alerts = make_alerts(settings, vault, knowledge.brain)
    chooser = make_chooser(settings, store, now, metrics.asked_model)
    turns = make_turns(settings, store, knowledge.brain, alerts, metrics.matched, chooser)
    refusals = Refusals(metrics)
    door = Door(
        channels=channels.values(),
        turns=turns,
        names=vault,
        staff=_staff_roles(settings),
        refusals=refusals,
        observer=metrics,
        now=now,
    )
    mailbox = Mailbox()
    sender = Sender(
        store=store,
        addresses=vault,
        channels={name: channel.type for name, channel in channels.items()},
        gateways=_gateways(settings, channels),
        mailbox=mailbox,
        tally=metrics,
        now=now,
    )
    desk = Desk(settings, store, knowledge, vault, _staff_names(settings, vault), check_lesson, now)
    health = Health(store, metrics, lambda: knowledge.version, lambda: len(knowledge.faults), lambda: door.draining)
    application = web.Application(client_max_size=BODY_BYTES)
    application.router.add_route("*", "/channels/{name}", door.receive)
    health.add_routes(application)
    _add_simulator(application, settings, turns, mailbox)
    application.cleanup_ctx.append(lambda _: _running(settings, store, knowledge, sender, desk, chooser, now))
    listener = Listener(application, door.call, lambda status, why: refusals.note("", status, why))
    return App(application, store, knowledge, turns, door, sender, mailbox, metrics, vault, listener, desk)


def _tell_what_is_served(settings: config.Settings) -> None:
    """An editor whose edit is not answered from finds in the log that it waits to be published."""
    versions = kept_versions(settings)
    if published := versions.published():
        waiting = unpublished(settings.knowledge, versions)
        log.info("published knowledge is served", extra={"number": published.number, "unpublished_edits": waiting})


def make_vault(settings: config.Settings) -> Vault:
    """The vault of the site; its secret is made beside the database where none is given. Raises VaultError."""
    return Vault(load_site_secret(settings.store.path.parent / "site_secret", settings.secret))


def make_chooser(
    settings: config.Settings, store: Store, now: Callable[[], datetime], heard: Heard = lambda outcome, seconds: None
) -> Chooser | None:
    """Who asks the language model; None where none is configured."""
    model = settings.language_model
    if model is None:
        return None
    return Chooser(
        client=ModelClient(
            api_base=model.api_base, api_key=model.api_key, model=model.model, connections=AT_ONCE
        ),
        breaker=Breaker(),
        budget=Budget(
            store,
            a_minute=model.calls_a_minute,
            a_day=model.calls_a_day,
            today=lambda: now().astimezone(settings.site.timezone).date(),
        ),
        sure=model.sure,
        deadline_seconds=model.deadline_seconds,
        heard=heard,
    )


def make_channel(name: str, given: config.ChannelSettings) -> Channel:
    """The channel of that name."""
    match given:
        case config.WechatMp():
            return WechatMp(name, given.app_id, given.token, given.encoding_aes_key or "", given.encryption)
        case config.WecomApp():
            return WecomApp(name, given.corp_id, given.agent_id, given.token, given.encoding_aes_key)
        case config.WecomAibot():
            return WecomAibot(name, given.name, given.token, given.encoding_aes_key)
        case config.Webhook():
            return Webhook(name, given.secret)
        case config.Simulator():
            return Simulator(name)


def make_alerts(settings: config.Settings, vault: Vault, brain: Callable[[], Brain]) -> AlertAddresses:
    """Who is alerted at a place: staff of role editor and above whose branch covers it, else all of them."""
    told = [
        (
            member.place,
            Delivery(
                delivery_id="",
                channel=member.channel,
                chat=None,
                user=vault.pseudonym(member.channel, member.user),
                place="",
                text="",
                address=vault.seal({"user": member.user}),
            ),
        )
        for member in settings.staff
        if member.role in _ALERTED
    ]

    def alert_to(place: str) -> Sequence[Delivery]:
        places = brain().places
        near = [delivery for branch, delivery in told if places.within(place, branch)]
        return near or [delivery for _, delivery in told]

    return alert_to


def _staff_roles(settings: config.Settings) -> Mapping[tuple[str, str], StaffRole]:
    """Roles on channels that sign who writes; on others anybody could say they are staff."""
    roles = {}
    for member in settings.staff:
        channel = settings.channels[member.channel]
        if channel.type in _UNSIGNED or (isinstance(channel, config.WechatMp) and channel.encryption == "plain"):
            log.warning("no staff rights on a channel that does not sign", extra={"channel": member.channel})
            continue
        roles[member.channel, member.user] = StaffRole(member.role, member.place)
    return roles


def _staff_names(settings: config.Settings, vault: Vault) -> Mapping[str, str]:
    """Pseudonym → name, for the history of the knowledge."""
    return {vault.pseudonym(member.channel, member.user): member.name or member.user for member in settings.staff}


def _gateways(settings: config.Settings, channels: Mapping[str, Channel]) -> list[Gateway]:
    found = []
    for name, given in settings.channels.items():
        channel = channels[name]
        if isinstance(given, config.Webhook) and isinstance(channel, Webhook) and given.deliver_url:
            found.append(Gateway(channel, given.deliver_url))
    return found


def _add_simulator(application: web.Application, settings: config.Settings, turns: Turns, mailbox: Mailbox) -> None:
    named = [given.name for given in settings.channels.values() if isinstance(given, config.WecomAibot)]
    tried = [name for name, given in settings.channels.items() if isinstance(given, config.Simulator)]
    simulator.add_routes(
        application,
        channel=tried[0] if tried else None,
        bot_name=named[0] if named else BOT_NAME,
        site_name=settings.site.name,
        understand=lambda text: explained(text, turns),
        deliveries=mailbox.take,
    )


@asynccontextmanager
async def _running(
    settings: config.Settings,
    store: Store,
    knowledge: LiveKnowledge,
    sender: Sender,
    desk: Desk,
    chooser: Chooser | None,
    now: Callable[[], datetime],
) -> AsyncIterator[None]:
    """The store and everything that works in the background, as long as the application runs."""

    async def retire() -> None:
        kept = settings.retention
        at = now()
        texts, records = at - timedelta(days=kept.text_days), at - timedelta(days=kept.record_days)
        changed = await store.retire(text_before=texts, records_before=records, now=at)
        log.info("retention done", extra={"rows": changed})

    async with AsyncExitStack() as stack:
        await store.start()
        stack.push_async_callback(store.stop)
        stack.push_async_callback(sender.close)
        if chooser:
            stack.push_async_callback(chooser.close)
        pulse = Pulse(store)
        await pulse.beat()
        await sender.recover()
        for name, seconds, work in (
            ("heartbeat", HEARTBEAT_SECONDS, pulse.beat),
            ("knowledge", LOOK_SECONDS, knowledge.look),
            ("outbox", SEND_SECONDS, sender.send_due),
            ("lessons", TEACH_SECONDS, desk.teach_waiting),
            ("lessons taken back", TEACH_SECONDS, desk.undo_waiting),
            ("retention", RETIRE_SECONDS, retire),
        ):
            await stack.enter_async_context(_again_and_again(name, seconds, work))
        yield


@asynccontextmanager
async def _again_and_again(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do `work` every so many seconds in the background; what it raises is logged, and it is tried again."""

    async def loop() -> None:
        while True:
            try:
                await work()
            except StoreUnavailable:
                log.warning("background work waits for the store", extra={"work": name})
            except Exception:
                log.exception("background work failed", extra={"work": name})
            await asyncio.sleep(seconds)

    task = asyncio.create_task(loop(), name=f"lvlin {name}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
