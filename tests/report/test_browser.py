"""The page in a browser: drawing, clicks, keyboard, phone widths and dark mode."""

import re
import statistics

import numpy as np
import pytest

from numlp import load_model
from numlp.datasets import Dataset, Split
from numlp.network.scaling import SCALINGS
from numlp.report import write_report
from numlp.runs.recipe import Recipe
from numlp.runs.unfinished import model_path

from .conftest import HOSTILE, data_of, save_trained

TABLE = {"layers": (6,), "epochs": 2, "batch_size": 32}
# A seven and a zero, in fractions of the pad.
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.43, 0.85)]
ZERO = [(0.5 + 0.18 * np.sin(t), 0.5 - 0.3 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 24)]


def settle(tab):
    """Wait until the page has scrolled to the focused element: scrolling hides the tooltip."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def draw(tab, strokes):
    pad = tab.locator("canvas.pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for stroke in strokes:
        places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in stroke]
        tab.mouse.move(*places[0])
        tab.mouse.down()
        for place in places[1:]:
            tab.mouse.move(*place, steps=3)
        tab.mouse.up()


@pytest.fixture(scope="module")
def tables(tmp_path_factory, table_dataset):
    """Write the pages of tables, by task."""
    pages = {}
    for task in ("classification", "labels", "regression"):
        loss = {"labels": "sigmoid_binary_cross_entropy"}.get(task)
        folder = save_trained(tmp_path_factory.mktemp(task) / "run", Recipe(loss=loss, **TABLE), table_dataset(task))
        pages[task] = write_report(folder, table_dataset(task), figures=False).path
    return pages


def test_drawn_digits_are_read(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    answer = tab.locator("#draw .answer")
    assert answer.inner_text() == "Nothing drawn yet"
    draw(tab, [SEVEN])
    assert answer.locator(".said").inner_text() == "7"
    tab.get_by_role("button", name="Clear").click()
    assert answer.inner_text() == "Nothing drawn yet"
    draw(tab, [ZERO])
    assert answer.locator(".said").inner_text() == "0"
    assert tab.locator("#draw figcaption", has_text="active").count() == 1


def test_a_drawing_is_centered_like_mnist_s_digits(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    draw(tab, [[(0.1, 0.1), (0.12, 0.3), (0.3, 0.32)]])
    pixels = np.array(tab.evaluate("Array.from(report.pad.ink.pixels)")).reshape(28, 28)
    rows, columns = np.nonzero(pixels > 0.02)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    centre = [(pixels * (np.indices(pixels.shape)[axis] + 0.5)).sum() / pixels.sum() for axis in (0, 1)]
    np.testing.assert_allclose(centre, [14, 14], atol=0.1)
    as_drawn = np.array(tab.evaluate("(report.pad.ink.centre.checked = false, Array.from(report.pad.ink.pixels))"))
    assert as_drawn.reshape(28, 28)[:, 14:].sum() == 0


def test_centering_keeps_a_centered_image(scripts):
    # A centered square of 20 × 20, on a pad ten times as fine, stays in place.
    ink = np.zeros((280, 280))
    ink[40:240, 40:240] = 1
    pixels = np.array(scripts.evaluate("(ink) => Array.from(centred(ink, 280, 280, 28, 28))", ink.ravel().tolist()))
    expected = np.zeros((28, 28))
    expected[4:24, 4:24] = 1
    np.testing.assert_allclose(pixels.reshape(28, 28), expected, atol=1e-6)


def test_the_keyboard_loads_a_test_image_unchanged(open_page, digits_run, mnist):
    tab = open_page(digits_run / "report.html")
    tab.locator("#draw select").focus()
    tab.keyboard.press("ArrowDown")
    row = int(tab.locator("#draw select option:checked").inner_text().split(":")[0])
    pixels = np.array(tab.evaluate("Array.from(report.pad.ink.pixels)"))
    np.testing.assert_allclose(pixels, mnist.test.x[row].ravel() / 255, atol=1e-6)
    network = load_model(model_path(digits_run))
    said = tab.locator("#draw .answers .value").all_inner_texts()
    expected = network.predict_proba(mnist.test.x[row : row + 1])[0]
    np.testing.assert_allclose([float(text.removesuffix("\u00a0%")) for text in said], 100 * expected, atol=0.051)


def by_hand(x):
    rows = x.astype(np.float64).reshape(len(x), -1)
    return (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 0.1)


DIGITS = tuple("0123456789")
PIXELS = {
    "bytes": lambda x: x,
    "int64 from 0 to 255": lambda x: x.astype(np.int64),
    "floats from 0 to 1": lambda x: x / np.float32(255),
    "floats from -1 to 1": lambda x: x / 127.5 - 1,
    "standardized by hand": by_hand,
    "standardized as one": lambda x: (x - 33.3) / 78.6,
}


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", PIXELS)
def test_every_loaded_image_gets_the_listed_answer(open_page, tmp_path, mnist, kind, scaling):
    (x, y), (x_test, y_test) = mnist.train, mnist.test
    both = PIXELS[kind](np.concatenate([x[:600], x_test[:250]])).reshape(-1, 28, 28)
    data = Dataset("digits", Split(both[:600], y[:600]), Split(both[600:], y_test[:250]), None, DIGITS, None)
    recipe = Recipe(layers=(16,), epochs=3, optimizer="adam", learning_rate=0.01, input_scaling=scaling)
    folder = save_trained(tmp_path / "run", recipe, data)
    tab = open_page(write_report(folder, data, figures=False).path)
    listed, seen = tab.evaluate(
        """() => [report.examples.likeliest.map(([[k, p]]) => p), report.examples.rows.map((_, i) => {
            report.pad.load(report.examples.data[i]);
            const x = valuesOf(report.pad.ink.pixels, report.pad.ends);
            return report.network.probabilities(x)[report.examples.guess[i]];
        })]"""
    )
    assert len(listed) > 100
    np.testing.assert_allclose(seen, listed, atol=2e-4)


def test_a_network_of_bytes_brought_to_another_range_sees_its_own_examples(open_page, tmp_path, mnist):
    (x, y), (x_test, y_test) = mnist.train, mnist.test
    trained = Dataset(
        "digits", Split(x[:600] / 127.5 - 1, y[:600]), Split(x[600:700] / 127.5 - 1, y[600:700]), None, DIGITS, None
    )
    recipe = Recipe(layers=(16,), epochs=3, optimizer="adam", learning_rate=0.01, input_scaling="unit")
    folder = save_trained(tmp_path / "run", recipe, trained)
    asked = Dataset("digits", trained.train, Split(x_test[:100], y_test[:100]), None, DIGITS, None)
    tab = open_page(write_report(folder, asked, figures=False).path)
    listed, seen = tab.evaluate(
        """() => [report.examples.likeliest.map(([[k, p]]) => p), report.examples.data.map((x, i) =>
            report.network.probabilities(x)[report.examples.guess[i]])]"""
    )
    np.testing.assert_allclose(seen, listed, atol=2e-4)


def test_the_page_predicts_a_hundred_images_as_the_network_does(open_page, digits_run, mnist):
    tab = open_page(digits_run / "report.html")
    rows, said = tab.evaluate(
        """() => [report.examples.rows.slice(0, 100),
            report.examples.data.slice(0, 100).map((row) => Array.from(report.network.probabilities(row)))]"""
    )
    assert len(rows) == 100
    np.testing.assert_allclose(said, load_model(model_path(digits_run)).predict_proba(mnist.test.x[rows]), atol=1e-4)


def test_drawings_are_read_as_the_library_reads_them_from_features_of_images(open_page, tmp_path, mnist):
    (x, y), (x_test, y_test) = mnist.train, mnist.test
    dataset = Dataset("mnist", Split(x[:1500], y[:1500]), Split(x_test[:60], y_test[:60]), None, DIGITS, None)
    recipe = Recipe(
        layers=(16,), epochs=6, optimizer="adam", learning_rate=0.01, input_scaling="unit",
        input_features="oriented_gradients",
    )  # fmt: skip
    folder = save_trained(tmp_path / "run", recipe, dataset)
    tab = open_page(write_report(folder, dataset, figures=False).path)
    tab.evaluate(
        """() => {
            const explanation = report.pad.explanation;
            const update = explanation.update.bind(explanation);
            explanation.update = (x) => ((report.drawn = Array.from(x)), update(x));
        }"""
    )
    model = load_model(model_path(folder))
    for strokes, digit in (([SEVEN], "7"), ([ZERO], "0")):
        tab.get_by_role("button", name="Clear").click()
        draw(tab, strokes)
        drawn, said = tab.evaluate("() => [report.drawn, Array.from(report.network.probabilities(report.drawn))]")
        np.testing.assert_allclose([said], model.predict_proba([drawn]), atol=1e-5)
        assert tab.locator("#draw .answer .said").inner_text() == digit
    text = tab.locator("#units p").first.inner_text()
    assert "side by side an image of cells for each of the 8 directions" in text
    shown = data_of(folder / "report.html")["units"]
    assert (shown["height"], shown["width"], shown["total"]) == (7, 56, 16)


def test_a_stroke_of_the_default_network_takes_less_than_20_ms(open_page, default_page):
    tab = open_page(default_page)
    draw(tab, [SEVEN])
    times = tab.evaluate(
        """() => Array.from({ length: 60 }, (_, i) => {
            const start = performance.now();
            report.pad.ink.stroke([100 + i, 90], [105 + i, 140]);
            return performance.now() - start;
        })"""
    )
    assert statistics.median(times) < 20


def test_touch_draws_too(browser, digits_run):
    tab = browser.new_page(has_touch=True, viewport={"width": 390, "height": 800})
    tab.goto((digits_run / "report.html").as_uri())
    tab.locator("html[data-ready]").wait_for(state="attached")
    pad = tab.locator("canvas.pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    tab.touchscreen.tap(box["x"] + 100, box["y"] + 100)
    assert tab.locator("#draw .answer .said").count() == 1
    assert pad.evaluate("(pad) => getComputedStyle(pad).touchAction") == "none"
    tab.close()


def test_a_cell_of_the_confusion_matrix_leads_to_its_images_and_to_why(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    cell = tab.locator(".confusion .mistake button").first
    truth, guess = re.search(r"of (\d), predicted as (\d)", cell.get_attribute("aria-label")).groups()
    cell.focus()
    tab.keyboard.press("Enter")
    card = tab.locator("#behind .card").first
    assert card.locator(".truth").inner_text() == f"true: {truth}"
    assert card.locator(".said").inner_text().startswith(guess)
    card.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#why option:checked").inner_text().endswith(f": {truth} (mistake)")
    assert tab.locator("#why .answer .said").inner_text() == guess


def test_curves_are_read_by_keyboard_and_pointer(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    chart = tab.locator(".panel.loss .chart")
    chart.focus()
    settle(tab)
    tab.keyboard.press("ArrowRight")
    assert tab.locator(".tooltip").inner_text().startswith("epoch 1\ntraining: ")
    tab.keyboard.press("End")
    assert tab.locator(".tooltip").inner_text().startswith("epoch 3\n")
    tab.keyboard.press("Escape")
    assert tab.locator(".tooltip").is_hidden()
    box = chart.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    assert tab.locator(".tooltip").inner_text().startswith("epoch 2\n")
    assert re.fullmatch(r"best: [\d.]+ in epoch \d", tab.locator(".panel.loss .legend .peak").inner_text())


def test_a_single_epoch_stands_in_the_middle_of_its_axis(open_page, tmp_path, table_dataset):
    data = table_dataset("classification")
    folder = save_trained(tmp_path / "run", Recipe(**TABLE | {"epochs": 1}), data)
    tab = open_page(write_report(folder, data, figures=False).path)
    drawing = tab.locator(".panel.loss .chart svg")
    width = float(drawing.get_attribute("viewBox").split()[2])
    places = [float(dot.get_attribute("cx")) for dot in drawing.locator("circle").all()]
    assert len(places) == 3  # training, validation, and the ring around the best
    assert len(set(places)) == 1
    assert width / 3 < places[0] < 2 * width / 3


def test_every_epoch_of_a_short_run_is_a_dot(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    assert tab.locator(".panel.loss circle.dot.series-0").count() == 3
    assert tab.locator(".panel.learning_rate circle.dot").count() == 3


def test_layers_have_one_name_in_all_sections(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    inside = [name.lower() for name in tab.locator("#inside .layer-name h3").all_inner_texts()]
    assert inside == tab.locator(".panel.gradients .legend li").all_inner_texts() == ["layer 1", "layer 2"]


def test_numbers_of_rows_have_separators_and_the_bars_of_confidence_count_all_rows(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    cells = tab.locator(".confusion td button").all_inner_texts()
    assert max(cells, key=len)[1:2] == ","
    assert sum(int(cell.replace(",", "")) for cell in cells) == 10_000
    calibration = tab.evaluate("report.data.calibration")
    filled = sum(share > 0 for share in calibration["shares"])
    assert tab.locator('[data-mount="calibration"] rect.bar').count() == filled
    tab.locator('[data-mount="calibration"] .chart').focus()
    settle(tab)
    tab.keyboard.press("End")
    assert re.search(r"\n\d,\d{3} rows$", tab.locator(".tooltip").inner_text())
    assert tab.evaluate("[999.4, 999.96, 1234.5, 9999.9, 12345.6].map((value) => shortNumber(value))") == [
        "999.4", "1,000", "1,235", "10,000", "12,346",
    ]  # fmt: skip


def test_a_confusion_matrix_too_wide_for_a_phone_says_that_it_scrolls(open_page, digits_run):
    phone, desk = (open_page(digits_run / "report.html", width) for width in (360, 1280))
    hint = '[data-mount="confusion"] .sideways'
    assert phone.locator(hint).is_visible()
    assert desk.locator(hint).is_hidden()
    corners = [tab.locator(".confusion .corner") for tab in (phone, desk)]
    assert {corner.inner_text() for corner in corners} == {"true ↓ predicted →"}
    assert corners[0].bounding_box()["width"] < 0.8 * corners[1].bounding_box()["width"]
    box = phone.locator('[data-mount="confusion"] .scroll')
    assert box.evaluate("(box) => { box.scrollLeft = 1000; return box.scrollLeft; }") > 0


def test_the_log_scale_is_a_switch(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    line = tab.locator(".panel.loss path.series-1").nth(1)
    before = line.get_attribute("d")
    tab.locator(".panel.loss input[type=checkbox]").click()
    assert line.get_attribute("d") != before


def test_units_are_sorted_and_shown_at_every_snapshot(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    norms = [
        float(re.search(r"norm ([\d.]+)", tile.get_attribute("aria-label"))[1]) for tile in tab.locator(".tile").all()
    ]
    assert len(norms) == 64
    assert norms == sorted(norms, reverse=True)
    tab.locator("#units select").select_option("number")
    assert tab.locator(".tile").first.get_attribute("aria-label").startswith("unit 1,")
    tab.locator(".tile").first.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')").startswith("unit 2,")
    picture = "(canvas) => canvas.toDataURL()"
    after = tab.locator(".tile canvas").first.evaluate(picture)
    tab.locator("#units input[type=range]").focus()
    tab.keyboard.press("Home")
    assert tab.locator("#units output").inner_text() == "before training"
    assert tab.locator(".tile canvas").first.evaluate(picture) != after
    tab.locator(".tile").first.click()
    assert "before training" in tab.locator("dialog figcaption").inner_text()
    tab.keyboard.press("Escape")
    assert tab.locator("dialog").is_hidden()


def test_names_are_never_run_as_code(open_page, tables):
    tab = open_page(tables["classification"])  # open_page fails if anything is alerted or asked for
    assert tab.locator("img").count() == 0
    assert tab.locator(".confusion tbody th").first.inner_text() == HOSTILE
    assert tab.locator(".field .name").first.inner_text() == "<i>a</i>"


def test_an_injected_script_does_not_run(browser, digits_run, tmp_path):
    text = (digits_run / "report.html").read_text(encoding="utf-8")
    injected = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"></body>"
    (tmp_path / "hostile.html").write_text(text.replace("</body>", injected), encoding="utf-8")
    tab = browser.new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto((tmp_path / "hostile.html").as_uri())
    tab.locator("html[data-ready]").wait_for(state="attached")
    assert "owned" not in tab.title()
    assert len([text for text in complaints if "Content Security Policy" in text]) >= 2
    tab.close()


@pytest.mark.parametrize("task", ["classification", "labels", "regression"])
def test_fields_predict_as_the_library_does(open_page, tables, task):
    tab = open_page(tables[task])
    for field, value in zip(tab.locator(".field input").all(), ("0.5", "-1", "0.25", "2"), strict=True):
        field.fill(value)
    network = load_model(model_path(tables[task].parent))
    row = np.array([[0.5, -1, 0.25, 2]])
    if task == "regression":
        said = float(tab.locator("#draw .answer").inner_text().split(": ")[1].replace("−", "-").replace(",", ""))
        assert said == pytest.approx(float(network.predict(row)[0]), rel=1e-3)
        return
    said = [float(text.removesuffix("\u00a0%")) for text in tab.locator("#draw .answers .value").all_inner_texts()]
    np.testing.assert_allclose(said, 100 * network.predict_proba(row)[0], atol=0.051)


def test_the_fields_show_the_selected_row(open_page, tables):
    tab = open_page(tables["regression"])
    shown = "[...report.fields.made.values()].map(({ input }) => input.valueAsNumber)"
    row = "Array.from(report.examples.data[Number(document.querySelector('#draw select').value)])"
    np.testing.assert_allclose(tab.evaluate(shown), tab.evaluate(row), rtol=1e-6)
    tab.locator("#draw button", has_text="Next").click()
    assert tab.locator("#draw select").input_value() == "1"
    np.testing.assert_allclose(tab.evaluate(shown), tab.evaluate(row), rtol=1e-6)
    tab.locator(".field input").first.fill("0.5")
    assert tab.locator("#draw select").input_value() == ""  # what was entered is no row


def test_why_says_how_much_the_target_changes_in_its_units_for_a_step(open_page, tmp_path, table_dataset):
    data = table_dataset("regression")
    folder = save_trained(tmp_path / "run", Recipe(**TABLE, activation="tanh", target="price"), data)
    tab = open_page(write_report(folder, data, figures=False).path)
    assert "“price” changes, in its own units" in tab.locator("#why figcaption").first.inner_text()
    assert tab.locator("#why .answer").inner_text().startswith("price: ")
    network, row = load_model(model_path(folder)), np.array(tab.evaluate("Array.from(report.examples.data[0])"))
    steps = 1 / np.broadcast_to(network.input_scaling.factor, 4)
    names = tab.locator("#why .bars .name").all_inner_texts()
    np.testing.assert_allclose([float(name.split(" ")[1]) for name in names], steps, rtol=0.01)
    assert [name.split(" ")[2] for name in names] == ["<i>a</i>", "b", "c", "d"]
    said = [
        float(text.replace("−", "-").replace(",", "")) for text in tab.locator("#why .bars .value").all_inner_texts()
    ]
    small = 1e-2 * steps * np.eye(4)
    slopes = (network.predict(row + small) - network.predict(row - small)).ravel() / 2e-2
    np.testing.assert_allclose(said, slopes, rtol=0.02, atol=0.02 * np.abs(slopes).max())


def test_a_field_without_a_number_keeps_the_last_prediction(open_page, tables):
    tab = open_page(tables["classification"])
    before = tab.locator("#draw .answer").inner_text()
    field = tab.locator(".field input").first
    field.fill("")
    assert field.get_attribute("aria-invalid") == "true"
    assert tab.locator("#draw .answer").inner_text() == before


OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    const inside = ".scroll, .skip, .hidden, .tiles, .source, .equation, dialog";
    return [...document.querySelectorAll("body *")]
        .filter((element) => !element.closest(inside) && element.getBoundingClientRect().right > width + 1)
        .map((element) => `${element.tagName} ${element.className}`);
}"""
# The contrast of every text with its background: WCAG 2.2, success criterion 1.4.3.
CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const over = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => rgb.map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const poor = [];
    for (const element of document.querySelectorAll("body *")) {
        const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!text || !element.getClientRects().length || element.closest("script, noscript, .hidden")) continue;
        const behind = [];
        for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
        const style = getComputedStyle(element);
        const ink = element instanceof SVGElement ? style.fill : style.color;
        const [a, b] = [luminance(over([...behind, ink])), luminance(over(behind))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const large = parseFloat(style.fontSize) >= 24;
        if (element.textContent.trim() !== "·" && ratio < (large ? 3 : 4.5)) {
            poor.push(`${element.tagName} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
        }
    }
    return poor;
}"""
# What a screen reader would meet without a name.
NAMELESS = """() => [...document.querySelectorAll("[role=img], button, select, input")].filter((element) => {
        const named = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.length;
        return !named && element.getClientRects().length;
    }).map((element) => element.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize("kind", ["digits", "classification", "labels", "regression"])
def test_nothing_overflows_and_all_text_is_legible(open_page, digits_run, tables, kind, width, scheme):
    tab = open_page(digits_run / "report.html" if kind == "digits" else tables[kind], width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(OVERFLOW) == []
    assert tab.evaluate(CONTRAST) == []


def test_no_panel_is_empty(open_page, digits_run, tables):
    for page in (digits_run / "report.html", *tables.values()):
        tab = open_page(page)
        for mount in tab.locator("[data-mount]").all():
            assert mount.bounding_box()["height"] > 40, mount.get_attribute("data-mount")


def test_pictures_have_text_and_controls_have_names(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    assert tab.evaluate(NAMELESS) == []


def test_the_theme_follows_the_system_until_the_reader_chooses(open_page, digits_run):
    tab = open_page(digits_run / "report.html", scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(paper)
    tab.locator("#theme").click()
    light = tab.evaluate(paper)
    assert light != dark
    tab.reload()
    tab.locator("html[data-ready]").wait_for(state="attached")
    assert tab.evaluate(paper) == light


def test_the_focus_is_visible(open_page, digits_run):
    tab = open_page(digits_run / "report.html")
    for _ in range(12):
        tab.keyboard.press("Tab")
        shown = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown == "solid"
