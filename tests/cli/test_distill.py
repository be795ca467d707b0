"""`numlp distill`: from a run or a model file to a run."""

import json
import shutil

import numpy as np
import pytest

from numlp import load_model, save_model
from numlp.cli import main
from numlp.runs.recipes import load_recipe

QUICK = ["--no-report", "--epochs", "3"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distilled")
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(240, 2))
    kinds = rng.choice(["red", "green", "blue"], 240)
    y = np.where(numbers[:, 0] + (kinds == "red") > 0.3, "yes", "no")
    lines = [f"{a:.4f},{b:.4f},{kind},{label}" for (a, b), kind, label in zip(numbers, kinds, y, strict=True)]
    (folder / "table.csv").write_text("a,b,kind,y\n" + "\n".join(lines) + "\n")
    return folder / "table.csv"


@pytest.fixture(scope="module")
def committee(table):
    output = table.parent / "committee"
    command = ["train", table, "--target", "y", "--folds", "2", "--layers", "24", "--output", output, *QUICK]
    assert main([str(part) for part in command]) == 0
    return output


def test_a_committee_of_folds_becomes_one_network(numlp, committee, tmp_path):
    code, out, _ = numlp("distill", committee, "--layers", "8", "--output", tmp_path / "pupil", *QUICK, "--json")
    assert code == 0
    teacher, pupil = load_model(committee / "model.safetensors"), load_model(tmp_path / "pupil" / "model.safetensors")
    assert len(teacher.members) == 2
    assert not hasattr(pupil, "members")
    assert pupil.layer_size == (3, 8, 2)
    assert pupil.input_encoding == teacher.input_encoding
    assert "folds" not in json.loads(out)


def test_a_study_is_a_teacher_with_the_recipe_of_its_best_trial(numlp, committee, tmp_path):
    study = tmp_path / "study"
    (study / "best").mkdir(parents=True)
    for place, name in ((study, "model.safetensors"), (study / "best", "recipe.toml")):
        (place / name).write_bytes((committee / name).read_bytes())
    assert numlp("distill", study, "--layers", "8", "--output", tmp_path / "pupil", *QUICK)[0] == 0
    assert load_model(tmp_path / "pupil" / "model.safetensors").layer_size == (3, 8, 2)
    assert load_recipe(tmp_path / "pupil").teacher == str(study)


def test_a_study_without_an_average_is_a_teacher_by_its_best_trial(numlp, committee, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(committee, study / "best")
    assert numlp("distill", study, "--layers", "8", "--output", tmp_path / "pupil", *QUICK)[0] == 0
    assert load_recipe(tmp_path / "pupil").teacher == str(study / "best")


def test_another_recipe_trains_one_network_on_the_data_of_the_run(numlp, committee, table, tmp_path):
    given = ("--recipe", "table", "--target", "y", "--layers", "8")
    assert numlp("distill", committee, *given, "--output", tmp_path / "pupil", *QUICK)[0] == 0
    recipe = load_recipe(tmp_path / "pupil")
    assert (recipe.data, recipe.folds, recipe.ensemble) == (str(table), None, 1)


def test_several_pupils_are_trained_if_asked(numlp, committee, tmp_path):
    assert numlp("distill", committee, "--folds", "2", "--output", tmp_path / "pupils", *QUICK)[0] == 0
    assert len(load_model(tmp_path / "pupils/model.safetensors").members) == 2


def test_verify_trains_a_pupil_again_and_finds_another_teacher(numlp, committee, table, tmp_path):
    pupil, teacher = tmp_path / "pupil", tmp_path / "teacher"
    teacher.mkdir()
    (teacher / "model.safetensors").write_bytes((committee / "model.safetensors").read_bytes())
    file = teacher / "model.safetensors"
    assert numlp("distill", file, table, "--target", "y", "--output", pupil, *QUICK)[0] == 0
    code, out, _ = numlp("verify", pupil, "--retrain")
    assert (code, out.splitlines()[-1]) == (0, "verified")
    network = load_model(file)
    for member in network.members:
        member.params *= 1.1
    save_model(network, file)
    code, out, _ = numlp("verify", pupil)
    assert code == 1
    assert "the teacher isn't what the run was trained on" in out
    code, _, err = numlp("resume", pupil, "--epochs", "5")
    assert code == 2
    assert "the teacher isn't the one that" in err
    file.unlink()
    code, out, _ = numlp("verify", pupil, "--retrain")
    assert code == 3
    assert "the data and the teacher weren't checked: teacher: there is no run's folder or model file" in out
    assert "; if it was moved, name it with --teacher" in out
    assert "name them with --data" not in out
    save_model(network, table.parent / file.name)
    assert "the teacher isn't what the run was trained on" in numlp("verify", pupil, "--data", table)[1]


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """Return a folder with a run on a data set that has a name, its pupil, and another model."""
    folder = tmp_path_factory.mktemp("mnist")
    quick = ["--no-report", "--layers", "none", "--batch-size", "1000", "--epochs", "1"]
    for command in (
        ["train", "mnist", *quick, "--output", folder / "teacher"],
        ["train", "mnist", *quick, "--seed", "1", "--output", folder / "other"],
        ["distill", folder / "teacher", "--seed", "2", "--output", folder / "pupil", "--no-report"],
    ):
        assert main([str(part) for part in command]) == 0
    (folder / "teacher").rename(folder / "moved")
    return folder


@pytest.fixture
def pupil(mnist, tmp_path):
    """Return a copy of a run whose teacher lies elsewhere now, and is called otherwise."""
    return shutil.copytree(mnist / "pupil", tmp_path / "pupil")


def test_a_pupil_is_verified_with_its_teacher_wherever_that_lies(numlp, fails, mnist, pupil):
    code, out, _ = numlp("verify", pupil)
    assert (code, out.splitlines()[-1]) == (0, "verified")
    assert "teacher weren't checked" in out
    for teacher in (mnist / "moved", mnist / "moved/model.safetensors"):
        code, out, _ = numlp("verify", pupil, "--teacher", teacher, "--retrain")
        assert (code, out.splitlines()[-1]) == (0, "verified")
        assert "teacher weren't checked" not in out
    code, out, _ = numlp("verify", pupil, "--teacher", mnist / "other")
    assert code == 1
    assert "differs: data: the teacher isn't what the run was trained on" in out
    assert "teacher: there is no run's folder" in fails("verify", pupil, "--teacher", "nowhere")
    assert "learned from no teacher: leave --teacher out" in fails("verify", mnist / "other", "--teacher", pupil)


def test_a_pupil_goes_on_with_its_teacher_wherever_that_lies(numlp, fails, mnist, pupil):
    longer = ("resume", pupil, "--epochs", "2", "--no-report")
    assert "teacher: there is no run's folder or model file" in (said := fails(*longer))
    assert "; if it was moved, name it with --teacher" in said
    assert "name it with --teacher" not in fails(*longer, "--teacher", "nowhere")
    assert "the teacher isn't the one that" in fails(*longer, "--teacher", mnist / "other")
    assert "learned from no teacher" in fails(
        "resume", mnist / "other", "--epochs", "2", "--teacher", mnist / "moved"
    )
    assert numlp("verify", pupil)[0] == 0  # nothing has changed yet
    assert numlp(*longer, "--teacher", mnist / "moved")[0] == 0
    assert load_recipe(pupil).teacher == str(mnist / "moved")
    code, out, _ = numlp("verify", pupil, "--retrain")
    assert (code, out.splitlines()[-1]) == (0, "verified")
    assert "teacher weren't checked" not in out


def test_a_pupil_goes_on_with_another_teacher_only_if_asked(numlp, mnist, pupil):
    other = ("--teacher", mnist / "other", "--changed-data")
    assert numlp("resume", pupil, "--epochs", "2", "--no-report", *other)[0] == 0
    assert load_recipe(pupil).teacher == str(mnist / "other")
    code, out, _ = numlp("verify", pupil, "--retrain")
    assert code == 3
    assert "epoch 1 was trained on other data than the run ended with, and can't be trained again" in out


def test_a_pupil_whose_new_teacher_does_not_fit_keeps_its_recipe(fails, committee, mnist, pupil):
    (pupil / "state").rename(pupil / "checkpoints")  # as if it had been killed while it saved its results
    before = {file: (pupil / file).read_bytes() for file in ("recipe.toml", "provenance.json")}
    said = fails("resume", pupil, "--teacher", committee, "--changed-data", "--no-report")
    assert "teacher takes 3 inputs, but the network 784" in said
    assert before == {file: (pupil / file).read_bytes() for file in before}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{committee}/figures"], "is no run's folder: it has no file recipe.toml"),
        (["{committee}", "--input-scaling", "unit"], "leave input_scaling out"),
        (["{committee}", "--input-encoding", "none"], "leave input_encoding out"),
        (["{committee}", "--loss", "sigmoid_binary_cross_entropy"], "must be for labels, as the network is"),
        (["{committee}", "--ensemble", "0"], "ensemble must be a whole number from 1 to 1000, not 0"),
        (["{committee}", "--folds", "0"], "folds must be"),
        (["missing"], "there is no run's folder or model file"),
        (["{committee}/model.safetensors"], "name the data to train on, as in numlp distill"),
        (["{committee}/history.csv", "mnist"], "not a model file"),
        (["{committee}/model.safetensors", "mnist"], "teacher takes 3 inputs, but the network 784"),
        (["{committee}", "--distillation", "0"], "distillation must be above 0 and at most 1, not 0"),
        (["{committee}", "--loss", "squared_error"], "holds texts, not numbers"),
    ],
)
def test_bad_teachers_are_named(fails, committee, arguments, message):
    given = [part.format(committee=committee) for part in arguments]
    assert message in fails("distill", *given, "--no-report")


@pytest.mark.parametrize("command", ["train", "tune", "find-lr"])
@pytest.mark.parametrize("option", [["--input-scaling", "unit"], ["--input-encoding", "columns"]])
def test_inputs_are_prepared_as_the_teacher_prepares_them(fails, committee, table, command, option):
    said = fails(command, table, "--target", "y", "--teacher", committee, *option)
    assert f"leave {option[0].lstrip('-').replace('-', '_')} out: a network prepares its inputs as its" in said


def test_the_teacher_of_a_recipe_counts_but_its_scaling_is_not_named_by_the_user(numlp, fails, committee, tmp_path):
    pupil = tmp_path / "pupil"
    assert numlp("distill", committee, "--output", pupil, *QUICK)[0] == 0
    assert "input_scaling = " in (pupil / "recipe.toml").read_text()
    assert "leave input_scaling out" in fails("train", "--recipe", pupil, "--input-scaling", "unit")
    assert numlp("train", "--recipe", pupil, "--output", "again", *QUICK)[0] == 0
    alone = ("--teacher", "none", "--distillation", "none", "--input-encoding", "columns(bins = 4)")
    assert numlp("train", "--recipe", pupil, *alone, "--output", "alone", *QUICK)[0] == 0
    shared, own = (load_model(run / "model.safetensors").input_encoding for run in (pupil, tmp_path / "alone"))
    assert shared != own


def test_a_search_does_not_vary_what_the_teacher_decides(fails, committee, table, tmp_path):
    (tmp_path / "space.toml").write_text('input_scaling = ["unit", "symmetric"]')
    search = ("tune", table, "--target", "y", "--space", "space.toml")
    assert "space.toml: leave input_scaling out" in fails(*search, "--teacher", committee)
    (tmp_path / "space.toml").write_text(f'input_scaling = ["unit", "symmetric"]\nteacher = ["{committee}", "none"]')
    assert "space.toml: leave input_scaling out" in fails(*search)


def test_distillation_needs_a_teacher(fails, table):
    assert "distillation has an effect only with a teacher" in fails("train", table, "--distillation", "0.5")
