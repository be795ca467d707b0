"""A small portable run can be trained again in its page, to the same bytes; other pages say why they can't."""

import hashlib

import pytest

from numlp.report import write_report
from numlp.runs.recipe import Recipe
from numlp.runs.unfinished import model_path
from tests.page.training import pictures, table

from .conftest import data_of, save_trained

QUICK = {"layers": (5,), "epochs": 2, "batch_size": 16}
RUNS = {
    "classes": (lambda: table("classification", gaps=True), {"normalization": "batch", "dropout": 0.1}),
    "values": (lambda: table("regression"), {"optimizer": "adam", "loss": "huber"}),
    "images": (pictures, {"input_noise": 0.1, "learning_rate": 0.01}),
    "features": (
        lambda: pictures(shape=(6, 7)),
        {"input_features": "oriented_gradients(stride = 2)", "input_dropout": 0.1, "normalization": "batch"},
    ),
}


def page_of(folder, dataset, **settings):
    recipe = Recipe(**{"arithmetic": "portable", "data": dataset.name, **QUICK, **settings})
    save_trained(folder, recipe, dataset)
    return write_report(folder, dataset, figures=False).path


@pytest.mark.parametrize("name", RUNS)
def test_the_page_trains_the_run_again_to_the_same_bytes(open_page, tmp_path, name):
    make, settings = RUNS[name]
    tab = open_page(page_of(tmp_path / "run", make()[0], **settings))
    tab.get_by_role("button", name="Train it again in this page").click()
    said = tab.locator("[data-mount=again] [role=status]", has_text="SHA-256")
    digest = hashlib.sha256(model_path(tmp_path / "run").read_bytes()).hexdigest()
    assert said.inner_text(timeout=0).endswith(f"the run's model.safetensors: SHA-256 {digest}.")


def test_a_page_says_if_the_bytes_differ(open_page, tmp_path):
    path = page_of(tmp_path / "run", table("classification")[0])
    digest = data_of(path)["again"]["digest"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(digest, "0" * 64), encoding="utf-8")  # the policy covers scripts, not data
    tab = open_page(path)
    tab.get_by_role("button", name="Train it again in this page").click()
    said = tab.locator("[data-mount=again] [role=status]", has_text="SHA-256").inner_text(timeout=0)
    assert said.startswith(f"This browser's network differs from the run's: SHA-256 {digest} instead of 000")


@pytest.mark.parametrize(
    ("make", "settings", "reason"),
    [
        (table, {"arithmetic": "ordinary"}, "ordinary arithmetic"),
        (table, {"adversarial": 0.1}, "knows nothing of adversarial"),
        (table, {"ensemble": 2}, "several networks"),
        (lambda task: table(task, n=12_000, held=900), {"epochs": 1, "batch_size": 6000}, "its rows take 206 KB"),
    ],
)
def test_other_pages_say_why_they_can_t(tmp_path, make, settings, reason):
    path = page_of(tmp_path / "run", make("classification")[0], **settings)
    assert data_of(path)["again"] is None
    text = path.read_text(encoding="utf-8")
    assert "This page can&#39;t train it again: " in text or "This page can't train it again: " in text
    assert reason in text
