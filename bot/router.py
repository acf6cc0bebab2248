"""(kind, event) → handlers; the first that answers wins, in the written order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from bot.context import Context
from bot.records import Reply, Utterance

Handler = Callable[[Utterance, Context], Awaitable[Reply | None]]


@dataclass(frozen=True, slots=True)
class _Route:
    kind: str
    event: str | None
    staff: bool
    handler: Handler


@dataclass(frozen=True, slots=True)
class Router:
    """Handlers with the conditions under which they are asked. A handler returns None for "not mine"."""

    routes: list[_Route] = field(default_factory=list)

    def on(self, kind: str, *, event: str | None = None, staff: bool = False) -> Callable[[Handler], Handler]:
        """Register a handler for `message` or `event`; `event`: only that one; `staff`: only from staff."""

        def register(handler: Handler) -> Handler:
            self.routes.append(_Route(kind, event, staff, handler))
            return handler

        return register

    def include(self, routers: Iterable[Router]) -> Router:
        """Append the routes of others, in order; returns itself."""
        for router in routers:
            self.routes.extend(router.routes)
        return self

    async def first(self, asked: Utterance, ctx: Context) -> Reply | None:
        """The reply of the first handler that has one."""
        for route in self.routes:
            if route.kind != asked.kind or (route.event is not None and route.event != asked.event):
                continue
            if route.staff and asked.role is None:
                continue
            reply = await route.handler(asked, ctx)
            if reply is not None:
                return reply
        return None
