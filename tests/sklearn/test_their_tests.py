"""scikit-learn's own tests of its two estimators, run on ours."""

import importlib.util
import sys
from pathlib import Path

import pytest
from sklearn import neural_network

from numlp import sklearn as ours

PATH = Path(neural_network.__file__).parent / "tests/test_mlp.py"

# These look into private attributes, or expect behavior that numlp changes on purpose: see
# docs/coming-from-scikit-learn.md.
LEFT_OUT = {
    "test_fit": "calls _backprop and _initialize",
    "test_gradient": "calls _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads _optimizer",
    "test_adaptive_learning_rate": "reads _optimizer",
    "test_early_stopping_stratified": "expects a message to name a class 'True', which is 1 in the data",
    "test_mlp_diverging_loss": "expects a model of NaNs",
}


def load():
    spec = importlib.util.spec_from_file_location("their_tests", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.MLPClassifier, module.MLPRegressor = ours.MLPClassifier, ours.MLPRegressor
    return module


if PATH.exists():
    theirs = load()
    their_tests = {name: value for name, value in vars(theirs).items() if name.startswith("test_")}
    globals().update({name: value for name, value in their_tests.items() if name not in LEFT_OUT})

    # scikit-learn's tests allow any warning that they don't check.
    pytestmark = [pytest.mark.filterwarnings("ignore")]

    @pytest.fixture
    def global_random_seed():
        return 0

    def test_what_is_left_out_is_there():
        assert set(LEFT_OUT) <= set(their_tests)
        assert len(their_tests) > 40
else:

    @pytest.mark.skip(reason=f"scikit-learn {sys.modules['sklearn'].__version__} was installed without its tests")
    def test_theirs():
        raise AssertionError
