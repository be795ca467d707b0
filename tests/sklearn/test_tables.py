"""The preset "table": frames as people have them."""

import pickle
import signal

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import numlp
from numlp.cli.train import choose
from numlp.network.encoding import Encoding
from numlp.runs.recipes import train_model
from numlp.sklearn import MLPClassifier, MLPRegressor, load_model, save_model

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "a row of weight 2 is in one fold, two rows may be in two",
}


def people(n=240, seed=0):
    """Return a frame with all kinds of columns, yes or no, and prices, which follow from them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "city": rng.choice(["Ulm", "Bonn", "Köln"], n),
            "size": pd.Categorical(rng.choice(["S", "M", "L"], n)),
            "member": rng.random(n) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n), unit="D"),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
        }
    )
    yes = np.where((frame["city"] == "Ulm") | frame["member"], "yes", "no")
    price = 200_000 + 1_000 * frame["age"].to_numpy() + 50_000 * frame["member"].to_numpy()
    frame.loc[::7, "age"], frame.loc[::5, "city"], frame.loc[::9, "visits"] = np.nan, None, pd.NA
    yes[::5] = np.where(frame["member"][::5], "yes", "no")
    return frame, yes, price


def quick(kind=MLPClassifier, **settings):
    return kind(preset="table", random_state=0, **{"hidden_layer_sizes": (16,), "max_iter": 5} | settings)


def as_pyarrow(frame):
    return pytest.importorskip("pyarrow").table(frame)


FRAMES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": as_pyarrow,
    "numlp": numlp.Table,
    "array of objects": lambda frame: frame.drop(columns="since").to_numpy(dtype=object),
    "lists": lambda frame: frame.drop(columns="since").astype(object).values.tolist(),
}


@pytest.mark.parametrize("made", FRAMES)
def test_frames_of_every_kind_are_taken_as_they_are(made):
    frame, yes, price = people()
    x = FRAMES[made](frame if made != "numlp" else {name: frame[name].astype(object).to_numpy() for name in frame})
    classifier = quick(max_iter=40).fit(x, yes)
    assert classifier.score(x, yes) > 0.9
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert classifier.predict_proba(x).shape == (240, 2)
    assert quick(MLPRegressor, max_iter=40).fit(x, price).score(x, price) > 0.7
    if made in ("pandas", "polars", "pyarrow", "numlp"):
        assert classifier.feature_names_in_.tolist() == list(frame)
    kinds = [column.kind for column in classifier.network_.input_encoding.columns]
    assert kinds[:4] == ["number", "text", "text", "number"]


def test_frames_of_different_libraries_are_the_same_to_a_fitted_estimator():
    frame, yes, _ = people()
    classifier = quick().fit(frame, yes)
    np.testing.assert_array_equal(classifier.predict_proba(pl.from_pandas(frame)), classifier.predict_proba(frame))


def test_prices_need_no_scaling():
    frame, _, price = people()
    regressor = quick(MLPRegressor, max_iter=60).fit(frame, price)
    assert regressor.score(frame, price) > 0.8
    assert 200_000 < regressor.predict(frame).mean() < 300_000


def test_arrays_with_nan():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = x[:, 0] > 0
    x[::4, 1] = np.nan
    classifier = quick(max_iter=30).fit(x, y)
    assert classifier.score(x, y) > 0.9
    assert classifier.predict(x).dtype == bool
    x[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        classifier.predict(x)


def test_masked_numbers_are_gaps():
    x = np.ma.masked_equal(np.arange(80.0).reshape(40, 2) % 7, 3)
    classifier = quick().fit(x, np.arange(40) % 2)
    assert classifier.network_.input_encoding.columns[0].gaps
    with_nan = np.ma.filled(x, np.nan)
    np.testing.assert_array_equal(classifier.predict_proba(x), classifier.predict_proba(with_nan))


def test_unseen_levels_are_told_and_are_no_error():
    frame, yes, _ = people()
    classifier = quick().fit(frame, yes)
    with pytest.warns(numlp.errors.DataWarning, match="'city' in 240 of 240 rows, such as 'Rome'"):
        assert len(classifier.predict(frame.assign(city="Rome"))) == 240


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[frame.columns[::-1]], "must be in the same order"),
        (lambda frame: frame.drop(columns="age"), "now missing:\n- age"),
        (lambda frame: frame.assign(extra=1), "unseen at fit time:\n- extra"),
        (lambda frame: frame.rename(columns={"city": "town"}), "unseen at fit time:\n- town"),
        (lambda frame: frame.assign(age="old"), "column 'age' holds texts, but the network was trained on numbers"),
        (lambda frame: frame.assign(since=1.0), "column 'since' holds numbers, but the network was trained on dates"),
        (lambda frame: frame.iloc[:0], "0 sample"),
    ],
)
def test_other_columns_than_in_training(change, message):
    frame, yes, _ = people()
    with pytest.raises(ValueError, match=message):
        quick().fit(frame, yes).predict(change(frame))


def test_columns_without_names_have_places():
    frame, yes, _ = people()
    unnamed = frame.set_axis(range(6), axis=1)
    classifier = quick().fit(unnamed, yes)
    assert not hasattr(classifier, "feature_names_in_")
    np.testing.assert_array_equal(classifier.predict(unnamed), classifier.predict(frame.to_numpy(dtype=object)))
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 6"):
        classifier.predict(unnamed.to_numpy()[:, :3])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        classifier.predict(unnamed.to_numpy()[0])
    with pytest.warns(UserWarning, match="X has feature names, but MLPClassifier was fitted without"):
        classifier.predict(frame)


@pytest.mark.parametrize("made", ["pandas", "polars"])
def test_plain_estimators_name_the_preset(made):
    frame, yes, price = people()
    hint = r"\(preset='table'\) takes texts, categories, dates and gaps"
    with pytest.raises(ValueError, match=rf"X has gaps in column 'age': MLPClassifier{hint}"):
        MLPClassifier().fit(FRAMES[made](frame), yes)
    with pytest.raises(ValueError, match=rf"X has texts in column 'size': MLPRegressor{hint}"):
        MLPRegressor().fit(FRAMES[made](frame[["member", "size"]]), price)
    numbers = MLPClassifier(max_iter=500, tol=1).fit(frame[["member"]], yes)
    with pytest.raises(ValueError, match=hint):
        numbers.predict(pd.DataFrame({"member": ["so", "lala"]}))
    with pytest.raises(ValueError, match=hint):
        MLPRegressor().fit([[1.0], [np.nan]], [1, 2])


def test_searches_pipelines_and_scores():
    frame, yes, price = people()
    assert cross_val_score(quick(max_iter=30, learning_rate_init=0.02), frame, yes, cv=2).mean() > 0.8
    grid = {"hidden_layer_sizes": [(4,), (16,)], "alpha": [0.0001, 0.1]}
    search = GridSearchCV(quick(), grid, cv=2).fit(frame, yes)
    assert set(search.best_params_) == set(grid)
    numbers = make_column_transformer(
        (FunctionTransformer(np.log1p, feature_names_out="one-to-one"), ["age"]),
        ("passthrough", make_column_selector(dtype_exclude=float)),
    )
    pipeline = make_pipeline(numbers, quick(MLPRegressor)).set_output(transform="pandas").fit(frame, price)
    assert pipeline[-1].feature_names_in_[0] == "functiontransformer__age"
    importance = permutation_importance(quick(max_iter=30).fit(frame, yes), frame, yes, n_repeats=2, random_state=0)
    assert np.argsort(importance.importances_mean)[-2:].tolist() in ([1, 3], [3, 1])


def test_copies_predict_the_same(tmp_path):
    frame, yes, price = people()
    for estimator in (quick().fit(frame, yes), quick(MLPRegressor).fit(frame, price)):
        expected = estimator.predict(frame)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).predict(frame), expected)
        joblib.dump(estimator, tmp_path / "estimator.joblib")
        np.testing.assert_array_equal(joblib.load(tmp_path / "estimator.joblib").predict(frame), expected)
        save_model(estimator, tmp_path / "estimator.safetensors")
        again = load_model(tmp_path / "estimator.safetensors")
        np.testing.assert_array_equal(again.predict(frame), expected)
        assert again.get_params() == estimator.get_params()
        assert again.n_iter_ == estimator.n_iter_
        assert again.feature_names_in_.tolist() == list(frame)
        network = numlp.load_model(tmp_path / "estimator.safetensors")
        assert isinstance(network.input_encoding, Encoding)
        network.predict(frame)


def test_the_same_random_state_gives_the_same_bits():
    frame, yes, _ = people()
    one, other = quick().fit(frame, yes), clone(quick()).fit(frame, yes)
    np.testing.assert_array_equal(one.predict_proba(frame), other.predict_proba(frame))
    another = clone(quick()).set_params(random_state=1).fit(frame, yes)
    assert not np.array_equal(one.predict_proba(frame), another.predict_proba(frame))


def test_numlp_train_with_the_same_seed_trains_the_same_networks(tmp_path):
    frame, yes, _ = people()
    frame[["age", "city", "member"]].assign(yes=yes).to_csv(tmp_path / "people.csv", index=False)
    data = {"data": str(tmp_path / "people.csv"), "target": "yes"}
    model = train_model(*choose("table", data | {"epochs": 5, "layers": (16,)}))
    classifier = quick().fit(frame[["age", "city", "member"]], yes)
    for one, other in zip(model.members, classifier.network_.members, strict=True):
        np.testing.assert_array_equal(one.params, other.params)


def test_rows_without_weight_are_as_good_as_absent():
    frame, yes, _ = people()
    weights = np.ones(240)
    weights[100:] = 0
    weighted = quick().fit(frame, yes, sample_weight=weights)
    fewer = quick().fit(frame[:100], yes[:100])
    np.testing.assert_array_equal(weighted.predict_proba(frame), fewer.predict_proba(frame))


def test_weights_of_classes():
    frame, yes, _ = people()
    plain = quick().fit(frame, yes).predict_proba(frame)[:, 1].mean()
    heavy = quick(class_weight={"yes": 20}).fit(frame, yes).predict_proba(frame)[:, 1].mean()
    assert heavy > plain
    balanced = quick(class_weight="balanced").fit(frame, yes)
    counted = quick().fit(
        frame, yes, sample_weight=np.where(yes == "yes", 1 / np.mean(yes == "yes"), 1 / np.mean(yes == "no"))
    )
    np.testing.assert_allclose(balanced.predict_proba(frame), counted.predict_proba(frame), atol=1e-4)


def test_validation_rows_of_the_callers_own_stop_all_networks():
    frame, yes, _ = people()
    later, answers, _ = people(seed=1)
    classifier = quick(max_iter=20).fit(frame, yes, X_val=later, y_val=answers)
    losses = [min(row["validation_loss"] for row in history) for history in classifier.histories_]
    for network, loss in zip(classifier.network_.members, losses, strict=True):
        network.temperature = 1.0
        assert numlp.evaluate(network, (later, (answers == "yes").astype(int)))["loss"] == pytest.approx(loss)


def test_several_classes_labels_and_targets():
    frame, yes, price = people()
    assert quick().fit(frame, frame["size"]).predict_proba(frame).shape == (240, 3)
    labels = np.stack([yes == "yes", frame["member"]], axis=1).astype(int)
    assert quick().fit(frame, labels).predict(frame).shape == (240, 2)
    both = np.stack([price, frame["member"]], axis=1)
    assert quick(MLPRegressor).fit(frame, both).predict(frame).shape == (240, 2)


def test_other_losses():
    frame, _, price = people()
    quantiles = quick(MLPRegressor, loss="quantile(levels = [0.1, 0.5, 0.9])", max_iter=30).fit(frame, price)
    low, _, high = quantiles.network_.predict(frame).T
    assert np.mean((low < price) & (price < high)) > 0.7
    _, deviation = (
        quick(MLPRegressor, loss="gaussian_negative_log_likelihood").fit(frame, price).predict(frame, return_std=True)
    )
    assert deviation.min() > 0


def test_targets_with_gaps():
    frame, yes, price = people()
    with pytest.raises(ValueError, match="y has a gap, first in row 3"):
        quick().fit(frame, [None if i == 3 else name for i, name in enumerate(yes)])
    for named in (pd.Series(["a", pd.NA] * 120, dtype="string"), pl.Series(["a", None] * 120)):
        with pytest.raises(ValueError, match="y has a gap, first in row 1"):
            quick().fit(frame, named)
    price[5] = np.nan
    with pytest.raises(ValueError, match="y contains NaN"):
        quick(MLPRegressor).fit(frame, price)


def test_a_time_budget_is_for_all_networks(monkeypatch):
    frame, yes, _ = people()
    classifier = quick(max_iter=10_000, n_iter_no_change=10_000, time_budget=0.2).fit(frame, yes)
    assert len(classifier.histories_) == len(classifier.network_.members)
    assert classifier.n_iter_ < 10_000


def test_callbacks_and_verbose_see_each_network(capsys):
    frame, yes, _ = people()
    seen = []
    classifier = quick(max_iter=2, callbacks=[lambda state: seen.append(state.network)], verbose=True).fit(frame, yes)
    k = len(classifier.network_.members)
    assert len({id(network) for network in seen}) == k
    out = capsys.readouterr().out
    assert out.count("iteration 2, loss = ") == k


def test_ctrl_c_leaves_the_estimator_as_it_was():
    frame, yes, _ = people()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        classifier = quick().fit(frame, yes)
        expected = classifier.predict_proba(frame)
        classifier.set_params(callbacks=[lambda state: signal.raise_signal(signal.SIGINT)])
        with pytest.raises(KeyboardInterrupt):
            classifier.fit(frame[:100], yes[:100])
        np.testing.assert_array_equal(classifier.predict_proba(frame), expected)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_single_row_or_class_is_an_error_in_words(kind):
    with pytest.raises(ValueError, match="n_samples=1 can't be split"):
        quick(kind).fit([["Ulm", 3]], [1])
    if kind is MLPClassifier:
        with pytest.raises(ValueError, match="class"):
            quick().fit([["Ulm", 3], ["Bonn", 4]] * 4, [1] * 8)


def test_a_handful_of_rows_is_enough():
    frame, yes, price = people()
    assert len(quick().fit(frame[:6], yes[:6]).predict(frame)) == 240
    assert len(quick(MLPRegressor).fit(frame[:3], price[:3]).predict(frame[:3])) == 3


@parametrize_with_checks(
    [quick(n_iter_no_change=2), quick(MLPRegressor, max_iter=30, learning_rate_init=0.02)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_their_checks(estimator, check):
    if check.func.__name__ == "check_class_weight_classifiers":  # which asks for 1,000 epochs
        estimator.set_params(time_budget=1.0)
    check(estimator)
