"""Starts the real product once for all tests of this folder."""

import pathlib
import shutil
import tempfile

import pytest

from running import Product


@pytest.fixture(scope="session")
def product():
    data = pathlib.Path(tempfile.mkdtemp(prefix="estars-product-"))
    # The database's user must be able to reach its data.
    data.chmod(0o755)
    running = Product(data)
    try:
        yield running.start()
    finally:
        if running.process and running.process.poll() is None:
            running.stop()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            args=["--no-sandbox"])
        yield browser
        browser.close()
