"""The page's state and the fragment of its address say the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from numlp.lesson.shapes import shapes

READ = "readFragment(given, LESSONS)"


def test_every_lesson_is_a_state_of_the_page(evaluate):
    found = evaluate("LESSONS.map(({ state }, i) => [state, readFragment(`#lesson=${i + 1}`, LESSONS)])")
    assert len(found) == 8
    for number, (state, read) in enumerate(found, start=1):
        assert read["lesson"] == number
        assert read["complaints"] == []
        assert {name: read["state"][name] for name in state} == state


states = st.fixed_dictionaries(
    {
        "data": st.sampled_from(["spirals", "circles", "xor", "gauss", "sine", "digits"]),
        "rows": st.integers(20, 625),
        "spread": st.floats(0, 1),
        "layers": st.lists(st.integers(1, 256), max_size=6),
        "activation": st.sampled_from(["relu", "tanh", "leaky_relu"]),
        "initializer": st.sampled_from(["usual", "zeros"]),
        "normalization": st.sampled_from(["none", "batch", "layer"]),
        "optimizer": st.sampled_from(["sgd", "momentum", "adamw"]),
        "learning_rate": st.floats(1e-6, 100),
        "batch_size": st.integers(1, 10_000),
        "decay": st.floats(0, 1),
        "dropout": st.floats(0, 0.9),
        "noise": st.floats(0, 1),
        "input_noise": st.floats(0, 1),
        "l1": st.floats(0, 1),
        "l2": st.floats(0, 1),
        "loss": st.sampled_from(["squared_error", "huber"]),
        "schedule": st.sampled_from(["constant", "cosine"]),
        "epochs": st.integers(1, 100_000),
        "seed": st.integers(0, 2**32 - 1),
        "target": st.none(),
        "inputs": st.just([]),
    }
)


@settings(max_examples=2)
@given(st.lists(states, min_size=12, max_size=30), st.integers(0, 8))
def test_a_state_comes_back_from_its_fragment(evaluate, given_states, number):
    read = evaluate(
        "given.states.map((state) => readFragment(fragmentOf(given.number, state), LESSONS))",
        {"states": given_states, "number": number},
    )
    assert [each["state"] for each in read] == given_states
    assert all(each["lesson"] == number and not each["complaints"] for each in read)


def test_a_link_holds_the_columns_of_a_table_that_it_can_t_hold(evaluate):
    columns = {"target": "how much, %?", "inputs": ["a,b%2C&c=d", "ÿ#"]}
    read = evaluate('readFragment(fragmentOf(0, { ...usualState(), data: "own", ...given }), LESSONS)', columns)
    assert {name: read["state"][name] for name in columns} == columns
    assert "Open that table" in read["complaints"][0]
    assert "inputs" not in evaluate("fragmentOf(0, { ...usualState(), ...given })", columns)


def test_a_broken_link_is_named_and_the_rest_holds(evaluate):
    read = evaluate(
        READ, "#lesson=99&data=moon&learning_rate=-1&layers=4-0&hat=3&seed=7&batch_size=%E0%A4%A&inputs=a,b,c"
    )
    assert read["lesson"] == 0
    assert read["state"]["seed"] == 7
    assert read["state"]["learning_rate"] == 0.1
    said = " ".join(read["complaints"])
    for part in (
        "no lesson “99”",
        "“moon”",
        "a number above 0",
        "from 1 to 256",
        "“hat”",
        "“%E0%A4%A”",
        "one or two columns",
    ):
        assert part in said


def test_rows_of_a_shape_are_its_points_moved_by_the_spread(evaluate):
    for shape in shapes().values():
        described = shape.described()
        found = evaluate("(({ x, y }) => [Array.from(x), Array.from(y)])(rowsOfShape(given, 50, 0.1))", described)
        moved = shape.y if shape.is_curve else shape.points
        expected = np.round(moved + 0.1 * shape.jitter.reshape(moved.shape), 4)[:50]
        np.testing.assert_allclose(found[shape.is_curve], expected.ravel(), atol=1.01e-4)
        kept = shape.points if shape.is_curve else shape.y
        np.testing.assert_array_equal(found[not shape.is_curve], kept[:50].ravel())


def test_the_plane_of_many_columns_holds_what_differs_most(evaluate):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 3
    plane = evaluate(
        "(({ origin, axes, inverse }) => [origin, ...axes, ...inverse].map((a) => Array.from(a)))"
        "(planeOf(Float64Array.from(given), 5))",
        x.ravel().tolist(),
    )
    origin, *axes = (np.array(each) for each in plane)
    np.testing.assert_allclose(origin, x.mean(axis=0))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    directions = np.linalg.svd(z, full_matrices=False)[2][:2]
    for axis, direction in zip(axes[2:], directions, strict=True):
        np.testing.assert_allclose(abs((axis * x.std(axis=0)) @ direction), 1, atol=1e-3)
    np.testing.assert_allclose([[a @ b for a in axes[:2]] for b in axes[2:]], np.eye(2), atol=1e-6)
