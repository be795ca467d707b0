"""What leaves the page: numlp trains the same bytes, whatever the page offers. test_page.py does so by commands."""

import base64

import pytest

from numlp.cli.train import choose
from numlp.lesson.shapes import shapes
from numlp.runs.folder import write_model
from numlp.runs.recipes import make_network, train_network

# States that together choose everything that the page's form offers.
STATES = """(() => {
    const offered = {
        data: ["circles", "sine"], activation: activationNames(), normalization: engine.ABOUT.normalizations,
        initializer: ["usual", ...engine.ABOUT.initializers], optimizer: Object.keys(DESCENTS), loss: VALUE_LOSSES,
        schedule: SCHEDULES, decay: [0, 0.01, 0.1], dropout: [0.2, 0, 0], noise: [0, 0.1, 0, 0],
        input_noise: [0.3, 0, 0, 0, 0.1], l1: [0, 0, 0.01], l2: [0.01, 0, 0, 0.1],
    };
    const most = Math.max(...Object.values(offered).map(({ length }) => length));
    const small = { rows: 40, layers: [5, 4], epochs: 2, batch_size: 12, learning_rate: 0.01 };
    return Array.from({ length: most }, (_, i) => {
        const chosen = Object.entries(offered).map(([name, values]) => [name, values[i % values.length]]);
        return { ...usualState(), ...small, ...Object.fromEntries(chosen), seed: i };
    });
})()"""
FILES = """given.states.map((state) => {
    const session = new Session(state, rowsOfShape(given.shapes[state.data], state.rows, 0.1));
    for (let epoch = 0; epoch < 2; epoch++) session.finishEpoch();
    const files = ["recipe", "model", "data"].map((name) => Buffer.from(session.file(name)).toString("base64"));
    return { ended: session.trainer.ended, files };
})"""


@pytest.fixture(scope="module")
def made(evaluate):
    states = evaluate(STATES)
    described = {name: shape.described() for name, shape in shapes().items()}
    return list(zip(states, evaluate(FILES, {"states": states, "shapes": described}), strict=True))


def test_numlp_trains_the_same_bytes_as_the_page_with_everything_that_it_offers(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for state, found in made:
        written, model, data = map(base64.b64decode, found["files"])
        (tmp_path / "recipe.toml").write_bytes(written)
        (tmp_path / "data.csv").write_bytes(data)
        recipe, dataset = choose("recipe.toml", {})
        network = make_network(recipe, dataset)
        history = train_network(recipe, network, dataset)
        write_model(tmp_path / "again.safetensors", network, recipe.as_dict(), history, "completed")
        assert (tmp_path / "again.safetensors").read_bytes() == model, state
    endings = {(state["schedule"], found["ended"]) for state, found in made}
    assert endings == {("constant", None), ("cosine", "completed"), ("one_cycle", "completed")}


def test_a_schedule_that_has_not_ended_leaves_data_alone(evaluate):
    described = {"shape": shapes()["circles"].described()}
    said = evaluate(
        """(() => {
        const state = { ...usualState(), rows: 40, schedule: "cosine", epochs: 3 };
        const session = new Session(state, rowsOfShape(given.shape, 40, 0.1));
        session.finishEpoch();
        const { length } = session.file("data");
        try { session.file("model"); } catch (error) { return [length, error.message]; }
    })()""",
        described,
    )
    assert said[0] > 0
    assert "schedule of 3 epochs" in said[1]
