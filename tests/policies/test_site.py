"""What of the site can be tested before it is built: the code on its first page runs. `make docs` checks the rest."""

import re
from pathlib import Path

INDEX = Path(__file__).parents[2] / "docs/index.md"


def test_the_code_on_the_first_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", INDEX.read_text(), flags=re.M | re.S)
    assert blocks
    names = {}
    exec("\n".join(blocks), names)
    assert names["numlp"].evaluate(names["net"], names["mnist"].test)["accuracy"] > 0.95
    assert (tmp_path / "mnist.safetensors").exists()
