"""What operators and their machines ask: does the process live, can it serve, and what has it done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.errors import StoreUnavailable
from bot.records import DeliveryState, Turn
from bot.storage.contract import Store

log = logging.getLogger("lvlin.health")

HEARTBEAT_SECONDS = 2.0
"""How often a test row is committed."""

LATEST_COMMIT_SECONDS = 5.0
"""Without a commit for this long, nothing may be sent here."""

_MATCHING_BUCKETS = (0.00001, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Everything `/metrics` shows. One for each app, so that two in one process do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._messages = Counter(
            "lvlin_messages", "Messages and events acknowledged", ["channel", "action"], registry=self.registry
        )
        self._requests = Histogram(
            "lvlin_request_seconds",
            "From the headers of a message to its acknowledgement",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._turns = Histogram(
            "lvlin_turn_seconds",
            "From reading what is remembered to the decided reply, without keeping it",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._matching = Histogram(
            "lvlin_matching_seconds",
            "From the text of a message to what it asks",
            buckets=_MATCHING_BUCKETS,
            registry=self.registry,
        )
        self._refusals = Counter("lvlin_refusals", "Requests refused", ["status"], registry=self.registry)
        self._deliveries = Counter(
            "lvlin_deliveries", "Attempts to deliver, by what they came to", ["state"], registry=self.registry
        )
        self._model = Counter(
            "lvlin_language_model", "Unsure messages, by what a language model made of them", ["outcome"],
            registry=self.registry,
        )
        self._model_seconds = Histogram(
            "lvlin_language_model_seconds", "Calls of a language model", buckets=_BUCKETS, registry=self.registry
        )
        self._knowledge = Info("lvlin_knowledge", "The knowledge that answers", registry=self.registry)
        self._faults = Gauge(
            "lvlin_knowledge_faults", "Faults that keep the folder from being served", registry=self.registry
        )
        self._counted: dict[tuple[str, str], Counter] = {}

    def watch(self, store: Store) -> None:
        """Show the state of a store, asked for whenever the metrics are."""
        queue = Gauge("lvlin_writer_queue", "Writes accepted and not yet committed", registry=self.registry)
        queue.set_function(lambda: store.queue_depth)
        age = Gauge("lvlin_last_commit_age_seconds", "Since the last successful commit", registry=self.registry)
        age.set_function(lambda: store.last_commit_age)

    def answered(self, channel: str, turn: Turn, seconds: float) -> None:
        """Count a message that was acknowledged."""
        key = (channel, turn.reply.action)
        counter = self._counted.get(key)
        if counter is None:
            counter = self._counted[key] = self._messages.labels(*key)
        counter.inc()
        self._requests.observe(seconds)
        self._turns.observe(turn.latency_ms / 1000)

    def matched(self, seconds: float) -> None:
        """Count how long matching took for one message."""
        self._matching.observe(seconds)

    def refused(self, status: int) -> None:
        """Count a refused request."""
        self._refusals.labels(str(status)).inc()

    def settled(self, state: DeliveryState) -> None:
        """Count an attempt to deliver."""
        self._deliveries.labels(state).inc()

    def asked_model(self, outcome: str, seconds: float | None) -> None:
        """Count a message a language model was to choose an entry for; `seconds`: how long a call took."""
        self._model.labels(outcome).inc()
        if seconds is not None:
            self._model_seconds.observe(seconds)

    def knows(self, version: str, faults: int) -> None:
        """The version of the knowledge that answers, and how many faults keep a newer one out."""
        self._knowledge.info({"version": version})
        self._faults.set(faults)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class Pulse:
    """Commits a test row again and again: a store that cannot is found before a resident finds it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failing = False

    async def beat(self) -> None:
        """Commit one; the first failure and the first success after it are logged."""
        try:
            async with asyncio.timeout(LATEST_COMMIT_SECONDS):
                await self._store.heartbeat()
        except (StoreUnavailable, TimeoutError) as exc:
            if not self._failing:
                log.warning("the store cannot commit", extra={"why": type(exc).__name__})
            self._failing = True
        else:
            if self._failing:
                log.info("the store commits again")
            self._failing = False


@dataclass(frozen=True, slots=True)
class Health:
    """The pages for machines. `version`: of the knowledge that answers; `faults`: how many keep a newer one out."""

    store: Store
    metrics: Metrics
    version: Callable[[], str]
    faults: Callable[[], int]
    draining: Callable[[], bool]

    def add_routes(self, app: web.Application) -> None:
        """Serve /healthz, /readyz and /metrics."""
        app.router.add_get("/healthz", self.lives)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/metrics", self.figures)

    async def lives(self, request: web.Request) -> web.Response:
        """200 while the process lives."""
        return web.json_response({"alive": True})

    async def ready(self, request: web.Request) -> web.Response:
        """200 while messages can be kept and answered, else 503 with the reasons."""
        reasons = self._reasons()
        state = {"ready": not reasons, "reasons": reasons, "knowledge": self.version(), "faults": self.faults()}
        return web.json_response(state, status=503 if reasons else 200)

    async def figures(self, request: web.Request) -> web.Response:
        """The metrics."""
        return web.Response(body=self.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def _reasons(self) -> list[str]:
        reasons = []
        if self.draining():
            reasons.append("draining")
        if not self.version():
            reasons.append("no knowledge is loaded")
        if self.store.last_commit_age > LATEST_COMMIT_SECONDS:
            reasons.append("the store has not committed lately")
        return reasons
