"""A film strip of the page of `numlp lesson`: a network learns two spirals, from its first step until it is right.

python docs/lesson/strip.py

It needs Debian's chromium, Playwright and Pillow, and writes spirals.png beside this file.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from numlp.lesson import write_lesson

EPOCHS = (0, 2, 8, 20, 40, 60, 90, 150)
STATE = "#data=spirals&layers=16-16&activation=tanh&optimizer=momentum&learning_rate=0.1&batch_size=32&seed=0"
SIDE = 240  # pixels of a frame


def frames(page: Path) -> list[Image.Image]:
    """Return a picture of the network's answers after each of the epochs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1200, "height": 1000})
        tab.goto(page.as_uri() + STATE)
        taken = []
        for epoch in EPOCHS:
            tab.wait_for_function("() => lesson.frame?.surface")
            done = tab.evaluate("lesson.frame.epoch")
            tab.evaluate(f"for (let i = {done}; i < {epoch}; i++) lesson.trainer.send('epoch')")
            tab.wait_for_function(f"() => lesson.frame.epoch === {epoch}", timeout=0)
            accuracy = tab.locator(".readout div:nth-child(5) dd").inner_text()
            print(f"epoch {epoch}, validation accuracy {accuracy}")
            taken.append(Image.open(io.BytesIO(tab.locator("canvas.plane").screenshot())).convert("RGB"))
        browser.close()
    return taken


def main() -> None:
    """Write the strip."""
    with tempfile.TemporaryDirectory() as folder:
        taken = frames(write_lesson(Path(folder) / "lesson.html"))
    strip = Image.new("RGB", (SIDE * len(taken) // 2, SIDE * 2), "white")
    for i, frame in enumerate(taken):
        row, column = divmod(i, len(taken) // 2)
        strip.paste(frame.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (column * SIDE, row * SIDE))
    strip.quantize(64, dither=Image.Dither.NONE).save(Path(__file__).with_name("spirals.png"), optimize=True)


if __name__ == "__main__":
    main()
