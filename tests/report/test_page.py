import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlp.page.page import escaped_json, page, policy
from numlp.report.comparison import SCRIPTS, TEMPLATE
from numlp.report.settings import portable, reproduction, shown
from numlp.runs.folder import Run
from numlp.runs.recipe import Recipe
from numlp.training.history import History

CONTEXT = {"title": "t", "names": ["a"], "rows": [], "panels": [], "note": ""}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each), max_leaves=5))
def test_json_in_a_script_keeps_its_meaning_and_ends_nothing(value):
    text = escaped_json({"value": value})
    assert json.loads(text) == {"value": value}
    assert not set(text) & set("<>&\u2028\u2029")


def test_json_refuses_values_that_are_not_finite():
    with pytest.raises(ValueError, match="Out of range"):
        escaped_json({"value": float("nan")})


def test_the_policy_lets_exactly_the_page_s_own_script_and_style_run():
    text = page(TEMPLATE, SCRIPTS, {}, CONTEXT).decode()
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    for tag, source in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        wanted = "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{source} '{wanted}'" in found
    assert "default-src 'none'" in found
    assert "unsafe" not in found
    assert found.startswith(policy([""], "").split(";")[0])


def test_names_are_only_text():
    hostile = "</title><script>alert(1)</script>"
    text = page(TEMPLATE, SCRIPTS, {"x": hostile}, CONTEXT | {"title": hostile, "names": [hostile]}).decode()
    assert "<script>alert" not in text
    assert text.count("<script") == 2


def test_the_page_refers_to_nothing_outside():
    text = page(TEMPLATE, SCRIPTS, {}, CONTEXT).decode()
    assert set(re.findall(r"https?://[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}


def test_a_page_reveals_no_folders():
    recipe = Recipe(
        data="/home/someone/houses.csv", test="/home/someone/t.csv", target="price", class_weight={"a": 2}
    )
    settings = portable(recipe)
    assert (settings["data"], settings["test"], settings["target"]) == ("houses.csv", "t.csv", "price")
    assert "someone" not in str(settings)
    assert shown(settings["class_weight"]) == "a: 2"


@pytest.mark.parametrize(
    ("settings", "ended", "says"),
    [
        ({}, "completed", "the same bits"),
        ({}, "interrupted", "This run was interrupted"),
        ({}, "diverged", "This run diverged"),
        ({"time_budget": 3}, "completed", "time"),
    ],
)
def test_the_note_says_what_the_command_reproduces(tmp_path, settings, ended, says):
    run = Run(tmp_path, Recipe(**settings), History(), {"ended": ended}, History())
    assert says in reproduction(run)["note"]
