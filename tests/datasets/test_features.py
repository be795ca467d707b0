import numpy as np
import pytest

from numlp import load_dataset
from numlp.errors import DataError


@pytest.fixture
def visits(tmp_path):
    """Visits of patients on days, with an id that is no use."""
    lines = ["id,patient,day,age,cost"]
    for i in range(40):
        lines.append(f"v-{i},p{i // 4},{np.datetime64('2026-01-01') + i},{30 + i // 4},{i * i % 17}.5")
    (tmp_path / "visits.csv").write_text("\n".join(lines))
    return tmp_path / "visits.csv"


def test_columns_that_can_not_help_are_left_out_and_told(visits):
    dataset = load_dataset(visits, target="cost")
    assert dataset.feature_names == ("patient", "day", "age")
    assert dataset.train.x.columns == dataset.validation.x.columns == dataset.feature_names
    (note,) = [note for note in dataset.notes if "'id'" in note]
    assert note == (
        "column 'id' is left out: it has 40 different texts in 40 rows, like an id or a name; keep it with `keep`"
    )


def test_drop_and_keep_override_what_is_left_out(visits):
    dataset = load_dataset(visits, target="cost", keep=["id"], drop=["age"])
    assert dataset.feature_names == ("id", "patient", "day")
    assert not dataset.notes


def test_test_rows_have_the_columns_of_the_training_rows(visits, tmp_path):
    (tmp_path / "test.csv").write_text("cost,age,day,patient\n1.5,30,2026-03-01,p1\n")
    dataset = load_dataset(visits, target="cost", test=tmp_path / "test.csv")
    assert dataset.test.x.columns == dataset.feature_names


def test_no_patient_is_on_both_sides_and_patients_are_no_feature(visits):
    dataset = load_dataset(visits, target="cost", validation_by="patient")
    assert "patient" not in dataset.feature_names
    training, validation = dataset.validation_by
    assert not set(training) & set(validation)
    assert len(validation) == 8
    assert "patient" in load_dataset(visits, target="cost", validation_by="patient", keep=["patient"]).feature_names


def test_the_latest_days_validate(visits):
    dataset = load_dataset(visits, target="cost", validation_by="day")
    training, validation = dataset.validation_by
    assert training.max() < validation.min()
    assert "day" not in dataset.feature_names


def test_a_table_without_a_column_that_helps_is_refused(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("\n".join(["id,y", *(f"a{i},{i % 2}" for i in range(30))]))
    with pytest.raises(DataError, match="no column can help to predict the target: 'id' can't, since it has 30"):
        load_dataset(path, target="y")
    assert load_dataset(path, target="y", keep=["id"]).feature_names == ("id",)
    with pytest.raises(DataError, match="there is no column besides the target and 'id', by which rows are split"):
        load_dataset(path, target="y", validation_by="id")


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (["900719925474099267", "900719925474099268"], ["900719925474099267", "900719925474099268"]),
        (["007", "7"], ["007", "7"]),
        (["01", "1E1", "0047583311587E590003", "Nan"], ["0047583311587E590003", "01", "1E1", "Nan"]),
        (["50", "60", "70", "OP", "PSE"], ["50", "60", "70", "OP", "PSE"]),
        ([*"0123456789ABCDEF"], [*"0123456789ABCDEF"]),
    ],
)
def test_classes_in_a_file_are_named_as_they_are_written(tmp_path, classes, names):
    path = tmp_path / "codes.csv"
    path.write_text("\n".join(["x,code", *(f"{i}.5,{classes[i % len(classes)]}" for i in range(10 * len(classes)))]))
    dataset = load_dataset(path, target="code")
    assert (dataset.task, list(dataset.class_names)) == ("classification", names)
    written = {row: classes[row % len(classes)] for row in range(10 * len(classes))}
    for rows in (dataset.train, dataset.validation):
        assert [dataset.class_names[i] for i in rows.y] == [written[int(row)] for row in rows.x["x"]]


def test_a_target_with_a_class_for_each_row_is_refused(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("\n".join(["x,name", *(f"{i}.5,n-{i}" for i in range(300))]))
    with pytest.raises(DataError, match="the target 'name' would have 300 classes in 300 rows"):
        load_dataset(path, target="name")


def test_a_class_with_a_single_row_trains(tmp_path):
    path = tmp_path / "rare.csv"
    path.write_text("\n".join(["x,y", *(f"{i}.5,{'rare' if i == 7 else 'ab'[i % 2]}" for i in range(40))]))
    for seed in range(5):
        dataset = load_dataset(path, target="y", seed=seed)
        assert dataset.class_names == ("a", "b", "rare")
        assert np.bincount(dataset.train.y).tolist()[2] == 1
