"""The engine in a page's worker: it trains there to the same bits, and the page's policy lets it."""

import numpy as np
import pytest

from numlp.page.page import page
from numlp.report import comparison

from .training import table, trained

SETTINGS = {"layers": (7,), "epochs": 40, "batch_size": 16}
TRAIN = """async ({ recipe, data }) => {
    for (const part of [data, data.validation]) {
        part.x = Float64Array.from(part.x);
        part.y = Int32Array.from(part.y);
    }
    const remote = engine.remote();
    await remote.make(recipe, data);
    const failed = await remote.call("set", { layers: [3] }).catch((error) => error.message);
    const state = await new Promise((done) => {
        remote.run((report) => report.ended === "completed" && done(report), { params: true });
    });
    const probabilities = await remote.call("predict", data.x.slice(0, 4));
    remote.end();
    return { failed, epoch: state.epoch, params: Array.from(state.params), probabilities: Array.from(probabilities) };
}"""


@pytest.fixture
def training_page(open_page, tmp_path):
    context = {"title": "", "names": [], "rows": [], "panels": [], "note": ""}
    path = tmp_path / "page.html"
    path.write_bytes(page(comparison.TEMPLATE, comparison.SCRIPTS, {"curves": []}, context, trains=True))
    return open_page(path)


def test_a_worker_of_the_page_trains_the_library_s_network(training_page):
    dataset, data = table("classification")
    recipe, _, network, _ = trained(dataset, "classification", SETTINGS)
    for part in (data, data["validation"]):
        part |= {name: part[name].tolist() for name in ("x", "y")}
    found = training_page.evaluate(TRAIN, {"recipe": recipe.as_dict(), "data": data})
    assert found["epoch"] == 40
    np.testing.assert_array_equal(np.array(found["params"], np.float32), network.params)
    expected = network.predict_proba(dataset.train.x[:2])
    np.testing.assert_allclose(np.array(found["probabilities"]).reshape(2, 3), expected, rtol=1e-6)
    assert found["failed"] == "layers can't change while a network trains: begin again"


def test_the_engine_stays_out_of_the_page_s_names(training_page):
    names = ("Network", "Products", "ACTIVATIONS", "total")
    found = training_page.evaluate(f"() => [{', '.join(f'typeof {name}' for name in names)}]")
    assert set(found) == {"undefined"}
