"""Starts the real product once for all tests of this folder."""

import shutil

import pytest

from running import remove_template, temporary_product

# Files of minutes and of one minute, the longest first: no process is left with one at the end.
LONG = [
    "test_accessibility", "test_demo_history", "test_openapi", "test_refund_saga", "test_bench",
    "test_relay", "test_html", "test_run", "test_events", "test_checkouts", "test_pilot_story",
    "test_reconciliation", "test_outage", "test_refund_faults", "test_bot_crash", "test_backup"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (*LONG, item.path.stem).index(item.path.stem))


def pytest_sessionfinish():
    remove_template()


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
