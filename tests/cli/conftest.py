import numpy as np
import pytest

from numlp.cli import main


@pytest.fixture(autouse=True)
def figures(unrendered):
    """Commands in processes of their own, and fixtures of whole modules, do render figures."""


@pytest.fixture
def numlp(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder, and return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def fails(numlp):
    """Run a command that must end with exit code 2 and one line that says what is wrong."""

    def run(*arguments):
        code, _, err = numlp(*arguments)
        assert code == 2, err
        assert err.startswith("numlp: error: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return run


@pytest.fixture
def points(tmp_path, blobs):
    x, y = blobs
    np.savez(tmp_path / "points.npz", x=x, y=y)
    return "points.npz"


@pytest.fixture
def houses(tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"{size:.1f},{age:.0f},{1000 * size - 500 * age:.0f}" for size, age in rng.uniform(20, 200, (300, 2))]
    (tmp_path / "houses.csv").write_text("\n".join(["size,age,price", *lines]))
    return "houses.csv"
