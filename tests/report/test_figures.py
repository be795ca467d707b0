import numpy as np
import pytest

from numlp.cli import main


@pytest.mark.renders
@pytest.mark.parametrize("target", ["price", "class"])
def test_a_table_s_run_draws_importances_and_dependence(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ends = {"price": str, "class": lambda value: "dear" if value > 40_000 else "cheap"}[target]
    lines = [f"{a:.1f},{b:.0f},{ends(round(1000 * a - 500 * b))}" for a, b in rng.uniform(20, 200, (120, 2))]
    (tmp_path / "houses.csv").write_text("\n".join([f"size,age,{target}", *lines]))
    assert main(["train", "houses.csv", "--target", target, "--epochs", "2", "--output", "run"]) == 0
    drawn = {path.name for path in (tmp_path / "run/figures").iterdir()}
    assert drawn >= {"importance.png", "dependence.png"}


def test_images_have_no_columns_to_draw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "images.npz", x=np.random.default_rng(0).random((40, 8, 8)), y=np.arange(40) % 2)
    assert main(["train", "images.npz", "--epochs", "1", "--output", "run"]) == 0
    assert not (tmp_path / "run/figures/importance.png").exists()
