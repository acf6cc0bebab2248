"""One call: the number of ways in which an endpoint may fail, none of which is more than a failure."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from bot.llm.client import ModelClient, ModelFailed
from tests.fake_model import MALFORMED, MODES, NONSENSE, REFUSED, SLOW, FakeModel, fake_model

HELLO = [{"role": "user", "content": "{}"}]


@pytest.fixture
async def fake() -> AsyncIterator[FakeModel]:
    async with fake_model() as running:
        yield running


def client_of(address: str, api_key: str | None = "sk-canary") -> ModelClient:
    return ModelClient(api_base=address, api_key=api_key, model="m", connections=2)


@pytest.fixture
async def client(fake: FakeModel) -> AsyncIterator[ModelClient]:
    made = client_of(fake.address)
    yield made
    await made.close()


async def test_a_call(fake: FakeModel, client: ModelClient) -> None:
    assert await client.complete(HELLO) == "1"
    body = fake.asked[0]
    assert (body["model"], body["messages"], body["temperature"], body["stream"]) == ("m", HELLO, 0, False)
    assert body["max_tokens"] <= 8
    assert fake.headers[0]["Authorization"] == "Bearer sk-canary"
    assert "Cookie" not in fake.headers[0]


async def test_no_key_no_header(fake: FakeModel) -> None:
    client = client_of(fake.address, None)
    await client.complete(HELLO)
    await client.close()
    assert "Authorization" not in fake.headers[0]


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        *((mode, "malformed") for mode in MALFORMED),
        *((mode, "refused") for mode in REFUSED),
        ("breaks-off", "unreachable"),
    ],
)
async def test_failures(fake: FakeModel, client: ModelClient, mode: str, how: str) -> None:
    fake.mode = mode
    began = time.perf_counter()
    with pytest.raises(ModelFailed) as failed:
        await client.complete(HELLO)
    assert failed.value.how == how
    assert time.perf_counter() - began < 1
    fake.mode = "right"
    assert await client.complete(HELLO) == "1", "the next call is a new one"
    assert len(fake.asked) == 2, "a redirect is not followed, nothing is tried twice"


def test_every_mode_is_tried() -> None:
    assert {*MALFORMED, *REFUSED, *NONSENSE, *SLOW, "right", "none", "breaks-off"} == set(MODES)


async def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{bound.getsockname()[1]}/v1")
        with pytest.raises(ModelFailed) as failed:
            await client.complete(HELLO)
        await client.close()
    assert failed.value.how == "unreachable"


@pytest.mark.parametrize("mode", SLOW)
async def test_the_caller_sets_the_deadline(fake: FakeModel, client: ModelClient, mode: str) -> None:
    fake.mode = mode
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.complete(HELLO)


async def test_the_environment_names_no_proxy(fake: FakeModel, client: ModelClient, monkeypatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await client.complete(HELLO) == "1"
