import sys

import pytest

from numlp.cli import _warner
from numlp.cli.output import console, print_aligned, table

NAMES = ["[bold]x[/bold]", ":smile:", "a$b", r"C:\new", "<b>&amp;", "_x", "猫🐱"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_printed_as_they_are(name, capsys):
    made = table(name, name)
    made.add_row(name, name)
    screen = console()
    screen.print(name)
    screen.print(made)
    assert capsys.readouterr().out.count(name) == 5


def test_a_name_can_t_command_the_terminal(capsys):
    made = table("\x1b[2Jname")
    made.add_row("\x1b]0;title\x07")
    screen = console()
    screen.print("\x9b31m", made)
    assert capsys.readouterr().out.split() == [r"\x9b31m", r"\x1b[2Jname", r"\x1b]0;title\x07"]


def test_a_warning_shows_control_characters_as_codes(capsys):
    _warner()("\x1b[31mred.png: inverted")
    assert capsys.readouterr().err == "numlp: note: \\x1b[31mred.png: inverted\n"


def test_aligning_texts_takes_work_linear_in_the_rows(capsys):
    def calls(rows):
        found = []
        sys.setprofile(lambda frame, event, argument: found.append(None))
        try:
            print_aligned({"input": [f"a.csv[{i}]" for i in range(rows)], "class": ["low", "highest"] * (rows // 2)})
        finally:
            sys.setprofile(None)
        return len(found)

    calls(10)  # it imports
    assert calls(4_000) < 8 * calls(1_000)  # 16, where each row is compared with all
    assert capsys.readouterr().out.splitlines()[1:3] == ["a.csv[0]      low", "a.csv[1]  highest"]
