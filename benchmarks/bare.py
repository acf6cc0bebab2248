"""The least an aiohttp server can do with a callback: read it, and answer the same to everybody.

python -m benchmarks.bare PORT
"""

from __future__ import annotations

import sys

from aiohttp import web

from benchmarks.site import HOST


async def acknowledge(request: web.Request) -> web.Response:
    """Read the body, say success."""
    await request.read()
    return web.Response(body=b"success", headers={"Content-Type": "text/plain"})


async def alive(request: web.Request) -> web.Response:
    """Say that the server is there."""
    return web.Response()


def main(port: int) -> None:
    """Serve until SIGTERM."""
    app = web.Application()
    app.router.add_post("/channels/{name}", acknowledge)
    app.router.add_get("/readyz", alive)
    web.run_app(app, host=HOST, port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
