import json

import numpy as np
import pytest

from numlp import MLP, Table, learn_encoding
from numlp.errors import SettingError
from numlp.judging.errors import described
from numlp.judging.explanation import explain_row
from numlp.judging.survey import survey


def test_a_survey_of_a_table_tells_all_of_it_as_json(people):
    net, *data = people
    found = survey(net, data)
    assert {one.columns[0] for one in found.importance.columns[:2]} == {"age", "city"}
    assert {one.column for one in found.dependence} == set(data[0].columns)
    written = json.loads(json.dumps(described(found)))
    assert set(written) == {"importance", "related", "dependence", "interactions", "slices", "mistakes"}


def test_related_columns_are_also_permuted_together():
    x = np.random.default_rng(0).normal(size=(200, 1)) * [1, 2, 0.5]
    net = MLP([3, 4, 1], loss="squared_error", feature_names=["m", "cm", "mm"], seed=0)
    found = survey(net, (x, x[:, 0]))
    assert found.related == (("m", "cm", "mm"),)
    assert ("m", "cm", "mm") in {one.columns for one in found.importance.columns}


def test_images_are_refused():
    with pytest.raises(SettingError, match="for tables"):
        survey(MLP([784, 10]), (np.zeros((2, 784)), [0, 1]))


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "squared_error", "sigmoid_binary_cross_entropy"])
def test_odd_columns_and_few_rows_can_be_surveyed_and_explained(n, loss):
    rng = np.random.default_rng(n)
    text = rng.choice(["a", "b"], n).astype(object)
    text[0] = None
    columns = {
        "yes": rng.random(n) < 0.5,
        "whole": rng.integers(0, 3, n),
        "one": np.ones(n),
        "gaps": np.full(n, np.nan),
        "never": np.full(n, np.datetime64("NaT", "us")),
        "text": text,
        "all": np.full(n, "x", dtype=object),
        "large": rng.normal(size=n) * 1e100,
    }
    table = Table(columns)
    outputs = 2 if loss == "softmax_cross_entropy" else 1
    net = MLP([8, 4, outputs], loss=loss, input_encoding=learn_encoding(table), seed=0)
    y = rng.integers(0, 2, n) if outputs == 2 or loss != "squared_error" else rng.normal(size=n)
    found = survey(net, (table, y))
    why = explain_row(net, table[:1], table)
    assert why.mean + sum(part.amount for part in why.contributions) == pytest.approx(why.prediction, abs=1e-5)
    assert json.loads(json.dumps(described([found, why])))[0]["importance"]["rows"] == n
