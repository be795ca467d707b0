import re
from datetime import datetime, timedelta

import pytest

from numlp.runs.recipe import Recipe
from numlp.tuning.identity import Identity
from numlp.tuning.page import progress, write_page
from numlp.tuning.plan import Plan
from numlp.tuning.space import Choices, Range
from numlp.tuning.standing import Trial
from numlp.tuning.study import Study

pytest.importorskip("optuna")
HOSTILE = "</script><img src=x onerror=alert(1)>"
BASE = Recipe(layers=(4,), dropout=0.25, folds=2)
SPACE = {"dropout": Range(0.0, 0.5), "activation": Choices(("relu", "tanh"))}


def trial(number, begun, seconds, value, state="complete"):
    start = datetime(2026, 11, 29) + timedelta(seconds=begun)
    return Trial(number, state, value, {}, start, start + timedelta(seconds=seconds), {})


@pytest.mark.parametrize("higher", [False, True])
def test_the_best_so_far_follows_the_time_in_which_trials_ran(higher):
    pause = 3600.0
    sign = -1 if higher else 1
    trials = [
        trial(0, 0.0, 10.0, sign * 3.0),
        trial(1, 5.0, 20.0, sign * 2.0),  # beside the first one
        trial(2, 10.0, 1.0, sign * 0.1, "pruned"),
        trial(3, 25.0 + pause, 5.0, sign * 4.0),  # after the search was stopped for an hour
        trial(4, 30.0 + pause, 5.0, sign * 1.0),
        Trial(5, "running", None, {}, datetime(2026, 11, 29), None, {}),
    ]
    found = progress(trials, higher=higher)
    assert found["numbers"] == [0, 1, 3, 4]
    assert found["seconds"] == [10.0, 25.0, 30.0, 35.0]
    assert found["best"] == [sign * 3.0, sign * 2.0, sign * 2.0, sign * 1.0]


@pytest.fixture
def study(tmp_path):
    """A study of twelve trials, of which two have a report, and its plan."""
    texts = {name: str(values) for name, values in SPACE.items()}
    place = str(tmp_path / "study.journal")
    identity = Identity("1.0", {}, "loss", BASE.as_dict(), texts)
    study = Study(place, "points", identity, BASE, SPACE, f"{HOSTILE}-1")
    for number in range(12):
        taken = study.take(13)
        study.end(taken, "complete", study.point(taken)["dropout"] + 0.1, seconds=1.5, epochs=3)
        if number in (0, 3):
            (tmp_path / f"trials/{number}").mkdir(parents=True)
            (tmp_path / f"trials/{number}/report.html").write_text("a report")
    study.end(study.take(13), "failed", reason=HOSTILE)
    return Plan(BASE, None, SPACE, "loss", tmp_path, place, HOSTILE), study


def test_the_page_links_to_the_reports_that_are_there(study):
    text = write_page(*study).read_text(encoding="utf-8")
    assert set(re.findall('href="(?!data:)([^"]*)"', text)) == {"trials/0/report.html", "trials/3/report.html"}
    assert HOSTILE not in text


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_the_page_in_a_browser(study, open_page, width, scheme):
    tab = open_page(write_page(*study), width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("h1").inner_text() == HOSTILE
    assert tab.locator("#progress circle.dot").count() >= 12
    assert tab.locator("#importance li").count() == 2
    assert tab.locator("#trials tbody tr").count() == 13
    best = study[1].standing().best.number
    first = tab.locator("#trials tbody tr").first
    assert first.locator("th").inner_text() == str(best) != "0"
    assert first.locator("td").first.inner_text() == "complete, the best"
    assert first.get_attribute("class") == "winner"
    assert tab.locator("#progress text.label").last.inner_html() == "seconds"
    assert "over 12 trials" in tab.locator("#progress svg[role=img]").get_attribute("aria-label")
    tab.get_by_role("button", name="loss").click()
    values = [float(text) for text in tab.locator("#trials tbody td:nth-child(3)").all_inner_texts() if text != "–"]
    assert values == sorted(values)
    chart = tab.locator("#progress .chart")
    chart.focus()
    chart.press("End")
    assert "trial 11, after" in tab.locator(".tooltip").inner_text()


def test_a_study_without_a_trial_has_a_page(tmp_path, open_page):
    texts = {name: str(values) for name, values in SPACE.items()}
    place = str(tmp_path / "study.journal")
    empty = Study(place, "points", Identity("1.0", {}, "r2", BASE.as_dict(), texts), BASE, SPACE, "here-1")
    tab = open_page(write_page(Plan(BASE, None, SPACE, "r2", tmp_path, place, "points"), empty))
    assert "No trial has come to its end yet." in tab.locator("main").inner_text()
