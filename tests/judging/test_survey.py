import json

import numpy as np
import pytest

from numlp import MLP
from numlp.errors import SettingError
from numlp.judging.errors import described
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
