"""A real headless Chromium against the simulator's real routes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.browsing import DESKTOP, PHONE, QUIET, Served, serving, watched_page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def served() -> Iterator[Served]:
    """The simulator of the channel `try`."""
    with serving("try", "绿苑社区") as served:
        yield served


@pytest.fixture
def served_off() -> Iterator[Served]:
    """A site without a simulator."""
    with serving(None, "绿苑<社区>") as served:
        yield served


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console messages a test expects."""
    return []


@pytest.fixture(params=[pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")])
def page(request: pytest.FixtureRequest, chromium: Browser, served: Served, tolerated: list[str]) -> Iterator[Page]:
    """The simulator, opened on a phone and on a desktop."""
    with watched_page(chromium, served.address, tolerated, request.param) as page:
        yield page
