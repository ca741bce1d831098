"""The landing page as a visitor far away gets it, in Chromium: weight, largest paint, shift."""

import gzip
import re
import shutil
import statistics

from database import Wrong, fetch

ROUND_TRIP_MS, BITS_PER_SECOND, CPU_SLOWDOWN = 150, 1_600_000, 4
# The largest paint and all shifts of a page that has come to rest.
REST = """
() => new Promise(done => setTimeout(() => {
  let paint = 0, shift = 0, requests = performance.getEntriesByType('resource').length + 1;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) paint = entry.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver(list => { for (const entry of list.getEntries()) shift += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done({paint, shift, requests}), 100);
}, 400))"""
EXPLANATION = f"""
The landing page is loaded with an empty cache at {ROUND_TRIP_MS} ms a round trip, {BITS_PER_SECOND / 1e6:g} Mbit/s and a processor
{CPU_SLOWDOWN} times slower, all three by Chromium's own means; the median of the loads. Its weight is what is sent,
compressed: the page with the rules that it carries, and its icon."""


def weight(port):
    """Bytes of each file that the landing page fetches, as they are sent."""
    def sent(path):
        status, body = fetch(port, path, headers={"Accept-Encoding": "gzip"})
        if status != 200:
            raise Wrong(f"{path} answered {status}")
        return body

    page = sent("/")
    html = gzip.decompress(page).decode()
    files = {"page": len(page)}
    for link in re.findall(r'<link[^>]* href="(/assets/[^"]*)"', html):
        files[link.rsplit(".", 1)[1]] = len(sent(link))
    if "<script" in html or re.search(r'<(?:img|iframe)\b', html):
        raise Wrong("the landing page fetches more than its weight counts")
    return files


def loads(port, count):
    """What a browser measured, by width of the window and path."""
    from playwright.sync_api import sync_playwright

    measured = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=["--no-sandbox"])
        for width, path in ((390, "/"), (1280, "/pt-br")):
            runs = []
            for _ in range(count):
                context = browser.new_context(viewport={"width": width, "height": 800})
                page = context.new_page()
                session = context.new_cdp_session(page)
                session.send("Network.enable")
                session.send("Network.emulateNetworkConditions", {
                    "offline": False, "latency": ROUND_TRIP_MS,
                    "downloadThroughput": BITS_PER_SECOND / 8,
                    "uploadThroughput": BITS_PER_SECOND / 8})
                session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
                foreign = []
                page.on("request", lambda request: foreign.append(request.url)
                        if f"//127.0.0.1:{port}/" not in request.url else None)
                page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load")
                runs.append(page.evaluate(REST))
                if foreign or context.cookies():
                    raise Wrong(f"the landing page asked for {foreign}, set {context.cookies()}")
                context.close()
            measured[width, path] = runs
        browser.close()
    return measured


def report(port, count):
    files = weight(port)
    print(f"\n{'landing':21}{sum(files.values()) / 1000:>7.1f} kB sent: "
          + ", ".join(f"{name} {size / 1000:.1f}" for name, size in files.items()))
    for (width, path), runs in loads(port, count).items():
        paints = [run["paint"] for run in runs]
        print(f"{path + f' at {width} px':21}{statistics.median(paints):>7.0f} ms to the largest paint "
              f"({min(paints):.0f}–{max(paints):.0f} in {count} loads), "
              f"shift {max(run['shift'] for run in runs):g}, {runs[0]['requests']} requests")
    print(EXPLANATION)
