"""Starts the real product once for all tests of this folder."""

import shutil

import pytest

from running import temporary_product


@pytest.fixture(scope="session")
def product():
    with temporary_product() as running:
        # What the demo began with; other tests spend it.
        running.opening = [
            running.balance(bot["customer"], bot=index)
            for index, bot in enumerate(running.demo["bots"])]
        yield running


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            args=["--no-sandbox"])
        yield browser
        browser.close()
