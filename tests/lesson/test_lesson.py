"""What the page is made of, and the command that writes it."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from numlp.cli import main
from numlp.errors import OutputError
from numlp.lesson import write_lesson
from numlp.lesson.lesson import SCRIPTS
from numlp.lesson.shapes import ROWS, shapes

from .conftest import FOLDERS

GLOBAL = re.compile(r"^(?:async )?(?:function|const|let|class) (?:(\w+)|[\[{]([^\]}]*)[\]}] =)", flags=re.M)


def data_of(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text.split('<script type="application/json" id="data">')[1].split("</script>")[0])


def test_scripts_see_each_other_so_their_names_differ():
    found = Counter()
    for name in SCRIPTS:
        path = next(path for folder in FOLDERS if (path := folder / f"scripts/{name}.js").exists())
        for one, several in GLOBAL.findall(path.read_text()):
            found.update([one] if one else several.split(", "))
    assert [name for name, times in found.items() if times > 1] == []
    assert len(found) > 100


@pytest.mark.parametrize("name", shapes())
def test_shapes_are_balanced_at_every_size(name):
    shape = shapes()[name]
    assert len(shape.y) == ROWS
    assert np.abs(shape.points).max() <= 1.1
    if not shape.is_curve:
        for rows in (40, 125, ROWS):
            assert abs(np.mean(shape.y[:rows]) - 0.5) < 0.02
    assert np.array_equal(np.round(shape.points, 4), shape.points)


def test_the_command_puts_a_table_into_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{i},{i % 3},{'yes' if i % 2 else 'no'}" for i in range(40))
    (tmp_path / "t.csv").write_text(f"a,b,</script>\n{rows}\n")
    assert main(["lesson", "t.csv", "--target", "</script>", "--output", "t.html", "--json"]) in (None, 0)
    assert json.loads(capsys.readouterr().out)["page"] == "t.html"
    data = data_of(tmp_path / "t.html")
    assert data["first"] == "own"
    assert [column["name"] for column in data["own"]["columns"]] == ["a", "b", "</script>"]
    assert data["own"]["columns"][2]["levels"] == ["no", "yes"]
    assert main(["lesson", "t.csv", "--target", "b", "--output", "t.html"]) != 0  # it is there already
    assert main(["lesson", "t.csv", "--target", "b", "--output", "t.html", "--force"]) in (None, 0)


def test_a_table_that_the_page_was_made_with_comes_first(open_page, tmp_path):
    from numlp.datasets.reading import Reading

    rows = "\n".join(f"{i / 7},{(i * 3) % 11},{i * 0.5 if i % 9 else ''}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"a,b,price\n{rows}\n")
    page = write_lesson(
        tmp_path / "t.html", str(tmp_path / "t.csv"), Reading(target="price", drop_missing_target=True)
    )
    tab = open_page(page)
    tab.wait_for_function("() => lesson.frame?.step === 0", timeout=0)
    assert tab.get_by_label("Data set").input_value() == "own"
    assert tab.get_by_label("Predict").input_value() == "price"
    assert tab.evaluate("lesson.rows.y.length") == 53


def test_images_take_the_place_of_the_digits(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 5, 4), np.uint8)
    np.savez(tmp_path / "tiny.npz", x=images, y=np.arange(60) % 3)
    data = data_of(write_lesson(tmp_path / "t.html", str(tmp_path / "tiny.npz")))
    assert data["first"] == "digits"
    assert (data["sources"]["digits"]["height"], data["sources"]["digits"]["classes"]) == (5, ["0", "1", "2"])


def test_a_page_that_cant_be_written_is_an_error(tmp_path):
    with pytest.raises(OutputError):
        write_lesson(tmp_path / "no" / "lesson.html")
