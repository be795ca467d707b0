"""The page as a reader uses it, in a browser."""

import hashlib
import re
from pathlib import Path

import pytest

from numlp.cli import main

FAST = "#data=circles&rows=125&layers=4&learning_rate=0.3&batch_size=16"
TABLE = "height,weight,age,kind\n" + "\n".join(
    f"{i % 17},{(i * 7) % 23},{i % 5},{'cat' if (i % 17) > 8 else 'dog'}" for i in range(120)
)


def until(tab, condition):
    """Wait for a condition in JavaScript; as a function, since the page's policy forbids evaluating texts."""
    tab.wait_for_function(f"() => {condition}", timeout=0)


def cell(tab, name):
    return tab.locator(f".readout div:has(dt:text-is('{name}')) dd")


def epochs(tab, number):
    """Train so many epochs, one at a time."""
    for _ in range(number):
        until(tab, "lesson.frame")
        before = tab.evaluate("lesson.frame.epoch")
        tab.get_by_role("button", name="One epoch").click()
        until(tab, f"lesson.frame?.epoch === {before + 1}")


def saved(tab, names, folder):
    """Save files from the page into a folder."""
    for name in names:
        with tab.expect_download(timeout=0) as download:
            tab.get_by_role("button", name=f"Save {name}").click()
        download.value.save_as(folder / name)


def settled(tab):
    """Wait until the worker has made the network that the page asked for."""
    until(tab, "lesson.frame?.step === 0")


def give(tab, text, name="animals.csv"):
    tab.locator("#own-file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})


def test_it_trains_before_one_s_eyes_and_pauses(open_lesson):
    tab = open_lesson(FAST)
    tab.get_by_role("button", name="Start").click()
    until(tab, "lesson.frame?.epoch >= 20 && lesson.progress.history.length >= 20")
    tab.get_by_role("button", name="Pause").click()
    until(tab, "document.querySelector('.said-status').textContent.startsWith('Paused')")
    losses = tab.evaluate("lesson.progress.history.map((row) => row.train_loss)")
    assert losses[-1] < losses[0]
    assert tab.locator(".verdict").inner_text()
    assert tab.locator(".curves .line").count() > 4
    colors = tab.evaluate("""() => {
        const { width, height } = lesson.picture.canvas;
        const { data } = lesson.picture.canvas.getContext("2d").getImageData(0, 0, width, height);
        return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    }""")
    assert colors > 50


def test_one_step_one_epoch_and_back(open_lesson):
    tab = open_lesson(FAST)
    tab.get_by_role("button", name="One step").click()
    until(tab, "lesson.frame?.step === 1")
    epochs(tab, 2)
    assert cell(tab, "step").inner_text() == "14"  # 100 rows, 16 in a step
    tab.get_by_role("button", name="Back to the beginning").click()
    settled(tab)
    assert cell(tab, "epoch").inner_text() == "0"
    epochs(tab, 1)
    assert tab.evaluate("lesson.progress.earlier.map(({ name }) => name)") == ["the same"]


@pytest.mark.parametrize(
    ("fragment", "names"),
    [
        (f"{FAST}&dropout=0.1&optimizer=adamw&learning_rate=0.01&decay=0.1&seed=5", "recipe.toml data.csv"),
        ("#data=digits&layers=8&activation=relu&initializer=small_normal&batch_size=256", "recipe.toml data.npz"),
    ],
    ids=["a table", "pictures"],
)
def test_numlp_trains_the_same_bytes_as_the_page(open_lesson, tmp_path, monkeypatch, fragment, names):
    tab = open_lesson(fragment)
    settled(tab)
    epochs(tab, 2)
    saved(tab, [*names.split(), "model.safetensors"], tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--recipe", "recipe.toml", "--output", "run", "--no-report"]) in (None, 0)
    page, library = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in ("", "run"))
    assert hashlib.sha256(page).hexdigest() == hashlib.sha256(library).hexdigest()
    assert main(["verify", "run"]) in (None, 0)


def test_no_epoch_is_told_twice(open_lesson):
    tab = open_lesson(FAST)
    epochs(tab, 1)
    tab.evaluate("lesson.trainer.send('look', { from: 0 })")
    epochs(tab, 1)
    assert tab.evaluate("lesson.progress.history.map(({ epoch }) => epoch)") == [1, 2]


def test_of_two_choices_in_a_row_the_last_one_counts(open_lesson):
    tab = open_lesson(FAST)
    tab.evaluate("changed({ data: 'digits' }); changed({ data: 'spirals' })")
    until(tab, "lesson.data.sources.digits.unpacked && lesson.frame")
    assert tab.evaluate("[lesson.state.data, Boolean(lesson.rows.picture)]") == ["spirals", False]


def test_files_saved_while_it_trains_are_of_one_network(open_lesson, tmp_path):
    tab = open_lesson(FAST)
    tab.get_by_role("button", name="Start").click()
    until(tab, "lesson.frame?.epoch >= 2")
    saved(tab, ["model.safetensors"], tmp_path)
    until(tab, "lesson.frame?.running === false")
    saved(tab, ["recipe.toml"], tmp_path)
    epoch = tab.evaluate("lesson.frame.epoch")
    assert f"epochs = {epoch}\n" in (tmp_path / "recipe.toml").read_text()
    first = (tmp_path / "model.safetensors").read_bytes()
    saved(tab, ["model.safetensors"], tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == first


def test_a_setting_changed_by_hand_is_told_beside_the_files(open_lesson):
    tab = open_lesson(FAST)
    epochs(tab, 1)
    tab.get_by_label("Learning rate").select_option("0.1")
    epochs(tab, 1)
    assert "You changed the learning rate" in tab.locator("#leaving .hint").inner_text()
    assert cell(tab, "epoch").inner_text() == "2"
    assert "learning_rate=0.1&" in tab.url


def test_the_address_holds_the_state_and_leads_to_it(open_lesson):
    tab = open_lesson("#lesson=4")
    tab.get_by_label("Seed").fill("7")
    tab.get_by_label("Seed").press("Enter")
    settled(tab)
    assert "lesson=4" in tab.url
    assert "seed=7" in tab.url
    again = open_lesson(tab.url[tab.url.index("#") :])
    assert again.get_by_label("Seed").input_value() == "7"
    assert again.locator("#lesson-title").inner_text().startswith("4. Too small")
    tab.get_by_role("link", name="next lesson").click()
    until(tab, "lesson.number === 5")
    assert tab.evaluate("document.activeElement.id") == "lesson-title"
    assert tab.get_by_label("Rows").input_value() == "125"


def test_a_broken_link_is_named(open_lesson):
    tab = open_lesson("#data=own&learning_rate=much", width=390)
    said = tab.locator(".complaint").inner_text()
    assert tab.locator(".complaint").evaluate("(element) => element.getBoundingClientRect().bottom <= innerHeight")
    assert "table of your own" in said
    assert "“much”" in said


def test_a_table_stays_in_the_page_and_trains(open_lesson):
    tab = open_lesson(FAST)
    give(tab, TABLE)
    until(tab, "lesson.state.data === 'own' && lesson.frame?.step === 0")
    assert "120 rows, 4 columns" in tab.locator("#own .hint").inner_text()
    assert tab.get_by_label("Predict").input_value() == "kind"
    assert tab.evaluate("lesson.about.plane.projected")
    tab.get_by_label("From").select_option("two")
    tab.get_by_label("Across").select_option("height")
    until(tab, "lesson.about?.width === 2 && lesson.frame?.step === 0")
    epochs(tab, 3)
    tab.get_by_label("Predict").select_option("weight")
    until(tab, "lesson.rows?.classes === null && lesson.frame?.step === 0")
    epochs(tab, 1)
    assert "validation R²" in tab.locator(".readout").inner_text()


def test_a_link_chooses_the_columns_of_a_table_that_is_opened_after_it(open_lesson):
    tab = open_lesson(FAST)
    give(tab, TABLE)
    tab.get_by_label("Predict").select_option("weight")
    tab.get_by_label("From").select_option("two")
    until(tab, "lesson.state.inputs.length === 2 && lesson.frame?.step === 0")
    assert "target=weight&inputs=height%2Cage" in tab.url
    again = open_lesson(tab.url[tab.url.index("#") :])
    give(again, TABLE)
    until(again, "lesson.state.inputs.length === 2 && lesson.frame?.step === 0")
    assert again.evaluate("location.hash") == tab.evaluate("location.hash")
    assert again.evaluate("[lesson.rows.target, ...lesson.rows.columns]") == tab.evaluate(
        "[lesson.rows.target, ...lesson.rows.columns]"
    )
    give(again, TABLE.replace("age", "years"))
    until(again, "lesson.rows?.columns.includes('years') && lesson.frame?.step === 0")
    assert "no column “age”" in again.locator("#own .hint").inner_text()


def test_a_schedule_ends_the_training(open_lesson):
    tab = open_lesson(f"{FAST}&schedule=one_cycle&epochs=3")
    settled(tab)
    tab.get_by_role("button", name="Start").click()
    until(tab, "document.querySelector('.said-status').textContent.includes('schedule')")
    assert cell(tab, "epoch").inner_text() == "3"
    tab.get_by_role("button", name="One step").click()
    tab.get_by_label("Schedule").select_option("constant")
    settled(tab)
    assert not tab.get_by_label("Epochs", exact=True).is_visible()
    epochs(tab, 1)


def test_files_that_are_no_tables_leave_the_page_as_it_is(open_lesson):
    tab = open_lesson(FAST)
    for text, says in {
        "one\n1\n2": "“animals.csv” has one column",
        "a,b\n1,2": "at least 10",
        TABLE.replace("cat", "dog").replace("dog", "cat"): "",
        "height,kind\n" + "1,cat\n" * 12: "same value",
    }.items():
        give(tab, text)
        until(tab, f"lesson.complaint.textContent.includes({says!r})")
    assert tab.get_by_label("Data set").input_value() == "circles"  # as the network that is there still is
    assert tab.evaluate("location.hash").startswith("#data=circles")
    epochs(tab, 1)
    tab.get_by_label("Data set").select_option("spirals")
    settled(tab)
    epochs(tab, 1)
    assert not tab.locator(".complaint").is_visible()


def test_a_training_that_diverges_says_so_and_goes_on_with_another_rate(open_lesson):
    tab = open_lesson("#data=sine&rows=75&layers=8&activation=relu&learning_rate=1000")
    tab.get_by_role("button", name="Start").click()
    until(tab, "lesson.complaint.textContent.includes('diverged')")
    assert tab.get_by_role("button", name="Start").count() == 1
    tab.get_by_label("Learning rate").select_option("0.1")
    settled(tab)
    assert not tab.locator(".complaint").is_visible()
    epochs(tab, 1)


def test_settings_that_make_no_sense_are_named(open_lesson):
    tab = open_lesson("#data=circles&rows=125&normalization=batch&batch_size=1")
    until(tab, "lesson.complaint.textContent.includes('Batch size must be 2 or more')")
    tab.get_by_role("button", name="One step").click()
    tab.get_by_label("Batch size").select_option("16")
    settled(tab)
    tab.get_by_label("Hidden layers").fill("99")
    tab.get_by_label("Hidden layers").press("Enter")
    assert "from 0 to 6" in tab.locator(".complaint").inner_text()
    assert tab.locator(".complaint").evaluate("(element) => element.getBoundingClientRect().top < innerHeight")
    tab.get_by_role("button", name="Close").click()
    assert not tab.locator(".complaint").is_visible()
    epochs(tab, 1)


def test_the_keyboard_alone_trains_and_looks_at_units(open_lesson):
    tab = open_lesson(FAST)
    settled(tab)
    tab.locator(".skip").press("Enter")
    assert tab.evaluate("document.activeElement.textContent") == "Start"
    assert tab.evaluate("location.hash").startswith("#data=circles")
    tab.evaluate("document.activeElement.blur()")
    tab.locator("body").press("s")
    until(tab, "lesson.frame?.step === 1")
    tab.locator("body").press("e")
    until(tab, "lesson.frame?.epoch === 1")
    tab.locator("button.unit").first.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert tab.evaluate("[lesson.wiring.pinned.unit, document.activeElement.getAttribute('aria-pressed')]") == [
        1,
        "true",
    ]
    assert tab.locator("button.unit[tabindex='0']").count() == 1


AUDIT = Path(__file__).with_name("audit.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", ["#lesson=5", "#lesson=8"])
def test_everything_has_a_name_contrast_and_room_on_a_phone(open_lesson, fragment, scheme):
    tab = open_lesson(fragment, width=390, scheme=scheme)
    settled(tab)
    assert tab.evaluate(AUDIT) == {"nameless": [], "pale": []}
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.locator("[role=status], [aria-live]").count() >= 2


def test_a_digit_is_drawn_and_answered(open_lesson):
    tab = open_lesson("#data=digits&layers=8&activation=relu&batch_size=512")
    settled(tab)
    tab.get_by_role("button", name="Clear").click()
    until(tab, "document.querySelector('.digit .answer').textContent === 'Nothing drawn yet.'")
    box = tab.locator(".pad").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 20, steps=4)
    tab.mouse.up()
    until(tab, "document.querySelector('.digit .answer').textContent.startsWith('The network says')")


def test_the_page_is_small_without_its_data_and_loads_nothing(lesson_page):
    text = lesson_page.read_text(encoding="utf-8")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, flags=re.S)[1]
    assert len(text.encode()) - len(data.encode()) < 1_000_000
    assert set(re.findall(r"https?://[^\s\"'`,)]*", text.replace(data, ""))) <= {
        "http://www.w3.org/2000/svg",
        "https://github.com/huggingface/safetensors.",
    }
    assert "worker-src blob:" in text
    assert "unsafe" not in text.split("<title>")[0]
