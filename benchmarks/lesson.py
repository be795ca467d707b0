"""The speed of the page of `numlp lesson` in Chromium: steps and frames a second, and the time of an epoch of digits.

`make bench-lesson` opens the page, trains 2-16-16-2 on 500 rows of two spirals as fast as it goes, and counts for a
while: steps of training; frames that the page drew of them; and the longest time in which the page itself could do
nothing else, as a chain of timers of one millisecond sees it. Then it trains 784-64-10 on 4,000 of MNIST's digits for
some epochs, and tells the median time of one and what that comes to for all 60,000. The page draws while it trains.

It needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import machine, machine_lines
from numlp.lesson import write_lesson

CHROMIUM = "/usr/bin/chromium"
SPIRALS = "#data=spirals&layers=16-16&activation=tanh&optimizer=momentum&batch_size=32"
DIGITS = "#data=digits&layers=64&activation=relu&batch_size=32"
IMAGES = 60_000
COUNT = """() => {
    const counted = window.counted = { frames: 0, pause: 0 };
    const draw = lesson.wiring.update.bind(lesson.wiring);
    lesson.wiring.update = (frame) => { counted.frames++; draw(frame); };
    let last = performance.now();
    const beat = () => {
        const now = performance.now();
        counted.pause = Math.max(counted.pause, now - last);
        last = now;
        setTimeout(beat, 1);
    };
    beat();
}"""


def opened(browser: Any, page: Path, fragment: str) -> Any:
    """Open the page where a fragment leads, and wait until it has drawn the network."""
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.goto(page.as_uri() + fragment)
    tab.wait_for_function("() => document.documentElement.dataset.ready === '' && lesson.frame")
    return tab


def spirals(browser: Any, page: Path, seconds: float) -> str:
    """Train on the spirals for so long, and return what was counted."""
    tab = opened(browser, page, SPIRALS)
    tab.get_by_role("button", name="Start").click()
    tab.wait_for_function("() => lesson.frame.epoch > 20")
    tab.evaluate(COUNT)
    first, began = tab.evaluate("lesson.frame.step"), time.perf_counter()
    tab.wait_for_timeout(1000 * seconds)
    last, took = tab.evaluate("lesson.frame.step"), time.perf_counter() - began
    counted = tab.evaluate("counted")
    tab.close()
    return (
        f"2-16-16-2, 500 rows: {(last - first) / took:,.0f} steps, {counted['frames'] / took:.1f} frames a second; "
        f"longest pause of the page {counted['pause']:.0f} ms"
    )


def digits(browser: Any, page: Path, epochs: int) -> str:
    """Train on the digits, and return how long an epoch takes."""
    tab = opened(browser, page, DIGITS)
    tab.evaluate(COUNT)
    tab.get_by_role("button", name="Start").click()
    times = []
    for epoch in range(epochs + 1):  # the first warms up
        began = time.perf_counter()
        tab.wait_for_function(f"() => lesson.frame.epoch > {epoch}", timeout=0)
        times.append(time.perf_counter() - began)
    rows, pause = tab.evaluate("[lesson.about.rows, counted.pause]")
    tab.close()
    median = statistics.median(times[1:])
    return (
        f"784-64-10, {rows:,} digits: {median:.2f} s an epoch, so {median * IMAGES / rows:.0f} s for {IMAGES:,}; "
        f"longest pause of the page {pause:.0f} ms"
    )


def main() -> None:
    """Train, and print two lines and the machine."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of training on the spirals")
    parser.add_argument("--epochs", type=int, default=3, help="of training on the digits")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = write_lesson(Path(folder) / "lesson.html")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        print(spirals(browser, page, given.seconds), flush=True)
        print(digits(browser, page, given.epochs), flush=True)
        print(f"Chromium {browser.version}; {machine_lines(machine(()))[0]}")
        browser.close()


if __name__ == "__main__":
    main()
