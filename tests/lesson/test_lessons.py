"""The lessons show what they claim, with the default seed."""

from itertools import pairwise

import pytest

from numlp.lesson.shapes import shapes

EPOCHS = {1: 60, 2: 60, 3: 20, 4: 60, 5: 60, 6: 25, 7: 60}
# For every lesson on made data: what its own state comes to, and each thing to try.
SHOWN = """Object.entries(given.epochs).map(([number, epochs]) => {
    const { state, tries } = LESSONS[number - 1];
    return [{}, ...tries.map((each) => each.state)].map((more) => {
        const chosen = { ...usualState(), ...state, ...more };
        const shape = given.shapes[chosen.data];
        const rows = rowsOfShape(shape, chosen.rows, chosen.spread ?? shape.spread);
        const session = new Session(chosen, rows);
        for (let i = 0; i < epochs; i++) session.finishEpoch();
        const { history, dead } = session.frame(0);
        const column = (name) => history.map((row) => row[name]);
        const { kind } = overfitting(column("train_loss"), column("validation_loss"));
        return { loss: column("validation_loss"), accuracy: column("validation_accuracy").at(-1), kind,
            dead: dead.flat().length, norms: session.norms };
    });
})"""


@pytest.fixture(scope="module")
def shown(evaluate):
    described = {name: shape.described() for name, shape in shapes().items()}
    return dict(zip(EPOCHS, evaluate(SHOWN, {"epochs": EPOCHS, "shapes": described}), strict=True))


def wobble(run):
    """Return the mean change of the validation loss from an epoch to the next, over the last half."""
    late = run["loss"][len(run["loss"]) // 2 :]
    return sum(abs(b - a) for a, b in pairwise(late)) / len(late)


def test_a_single_unit_parts_clouds_but_no_ring(shown):
    clouds, ring = shown[1]
    assert clouds["accuracy"] > 0.95
    assert ring["accuracy"] < 0.75


def test_xor_needs_a_hidden_layer(shown):
    alone, hidden = shown[2]
    assert alone["accuracy"] < 0.65
    assert min(alone["loss"]) > 0.65
    assert hidden["accuracy"] > 0.95


def test_zeros_never_learn(shown):
    zeros, usual = shown[3]
    assert all(norm == 0 for norms in zeros["norms"] for norm in norms)
    assert zeros["loss"][-1] > 0.69
    assert all(norm > 0 for norms in usual["norms"] for norm in norms)


def test_a_rate_can_be_too_small_right_and_too_large(shown):
    small, right, large = shown[4]
    assert small["loss"][-1] > 0.68
    assert right["loss"][-1] < 0.2
    assert large["loss"][-1] > 1
    assert wobble(large) > 10 * wobble(right)


def test_few_rows_overfit_and_three_things_help(shown):
    few, *helped = shown[5]
    assert few["kind"] == "overfits"
    assert helped[0]["kind"] != "overfits"
    assert all(each["loss"][-1] < 0.75 * few["loss"][-1] for each in helped)


def test_large_steps_kill_units(shown):
    killed, leaky, slow = shown[6]
    assert killed["dead"] >= 4
    assert leaky["dead"] == slow["dead"] == 0
    assert slow["accuracy"] == 1


def test_small_batches_make_noise(shown):
    few, more, whole = shown[7]
    assert wobble(few) > 3 * wobble(more) > 0
    assert all(b < a for a, b in pairwise(whole["loss"][5:]))
