import json

import numpy as np
import pytest

from numlp import MLP, train
from numlp.errors import FileFormatError, NumlpError, SettingError
from numlp.runs import layout
from numlp.runs.chain import Chain
from numlp.runs.links import Stage, digest
from numlp.runs.provenance import Network, Predicate, read_provenance, write_provenance
from numlp.runs.renewal import renewing
from numlp.runs.subjects import ALWAYS, differing, is_inside
from numlp.settings import limits

X = np.arange(6.0, dtype=np.float32).reshape(6, 1)


def predicate():
    chain = Chain(Stage(0, 3, 1, *(digest(part) for part in ("data", "source", "environment"))))
    train(network := MLP([1, 2], seed=0), (X, [0, 1] * 3), epochs=3, after_epoch=[chain])
    return Predicate(
        {"data": "points.npz", "layers": []},
        "portable",
        {"training": "0" * 64},
        "0.1.0",
        digest("source"),
        {"python": "CPython 3.13"},
        "completed",
        (Network.of(chain, network), Network.of(chain, network)),
    )


PREDICATE = predicate()


@pytest.fixture
def run(tmp_path):
    """The folder of a run, with a record."""
    for name in (*ALWAYS, "report.html", "figures/loss.png", "kept/0-1.safetensors", "state/0.safetensors", "my.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    write_provenance(tmp_path, PREDICATE)
    return tmp_path


def record(run):
    return json.loads((run / layout.PROVENANCE).read_text())


def test_a_record_is_read_as_it_was_written(run):
    statement = read_provenance(run)
    assert statement.predicate == PREDICATE
    assert set(statement.subjects) == {*ALWAYS, "report.html", "figures/loss.png", "kept/0-1.safetensors"}
    assert differing(run, statement.subjects) == {}


def test_it_is_a_statement_of_in_toto(run):
    statement = record(run)
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:numlp:run:v1"
    assert all(set(one) == {"name", "digest"} and set(one["digest"]) == {"sha256"} for one in statement["subject"])


def test_files_that_changed_are_named(run):
    (run / "model.safetensors").write_text("another")
    (run / "figures/loss.png").unlink()
    (run / "snapshots.safetensors").touch()
    (run / "my.txt").write_text("changed")
    assert differing(run, read_provenance(run).subjects) == {
        "model.safetensors": "differs",
        "figures/loss.png": "missing",
        "snapshots.safetensors": "not covered",
    }


def test_a_file_behind_a_link_that_leads_out_is_not_read(run, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "model.safetensors"
    (run / "model.safetensors").rename(outside)
    try:
        (run / "model.safetensors").symlink_to(outside)
    except OSError:
        pytest.skip("no symbolic links")
    with pytest.raises(FileFormatError, match="leads out of the folder"):
        differing(run, read_provenance(run).subjects)


def changed(*path, value):
    """Return a change of what lies at a path in the record; None removes it."""

    def change(statement):
        *parents, last = path
        for name in parents:
            statement = statement[name]
        if value is None:
            del statement[last]
        else:
            statement[last] = value

    return change


IN = ("predicate", "networks", 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("_type", value="https://in-toto.io/Statement/v2"), "isn't a run's provenance"),
        (changed("predicateType", value="https://slsa.dev/provenance/v1"), "isn't a run's provenance"),
        (changed("predicateType", value=1), "isn't a run's provenance"),
        (
            changed("predicateType", value="urn:numlp:run:v2"),
            "version '2', but .* reads version 1; use numlp '0.1.0'",
        ),
        (changed("subject", value={}), "subject must be a list"),
        (changed("subject", 0, value=None), "lacks recipe.toml"),
        (changed("subject", 0, value=[]), "subject 1 must have the path"),
        (changed("subject", 0, "name", value="../recipe.toml"), r"not '\.\./recipe.toml'"),
        (changed("subject", 0, "name", value="/recipe.toml"), "path of a file inside the folder"),
        (changed("subject", 0, "name", value="data.json"), "data.json twice"),
        (changed("subject", 0, "digest", value="0" * 64), "digest of subject 1 must be an object"),
        (changed("subject", 0, "digest", "sha256", value="0" * 40), "subject 1 must have a SHA-256 digest"),
        (changed("subject", 0, "digest", "sha256", value=0), "subject 1 must have a SHA-256 digest"),
        (changed("predicate", value=[]), "predicate must be an object"),
        (changed("predicate", "recipe", value=[]), "recipe must be an object"),
        (changed("predicate", "arithmetic", value="exact"), "arithmetic must be one of ordinary, portable"),
        (changed("predicate", "arithmetic", value=[]), "arithmetic must be one of"),
        (changed("predicate", "ended", value=None), "ended must be one of"),
        (changed("predicate", "data", value=None), "blake2b must be an object"),
        (changed("predicate", "data", "blake2b", "training", value="0"), "data must have a BLAKE2b digest"),
        (changed("predicate", "source", "version", value=1), "source must have a text"),
        (changed("predicate", "source", "version", value="\x1b[2J"), "source must have a text"),
        (changed("predicate", "source", "sha256", value="0"), "source must have a SHA-256 digest"),
        (changed("predicate", "environment", "python", value="CPython 3.14"), "digest of its environment"),
        (changed("predicate", "environment", "python", value=3), "environment must have a text"),
        (changed("predicate", "networks", value=[]), "list of 1 to 1,000"),
        (changed(*IN, value=0), "network 2 must be an object"),
        (changed(*IN, "parameters", value="0"), "network 2: it must have a SHA-256 digest"),
        (changed(*IN, "parameters", value="0" * 64), "network 2: .* of none of its epochs"),
        (changed(*IN, "stages", value=[]), "network 2: its stages"),
        (changed(*IN, "chain", value={}), "network 2: its chain"),
        (changed(*IN, "chain", 2, value=None), "network 2: its chain leaves out epoch 2"),
        (
            changed(*IN, "chain", 2, "figures", "train_loss", value=0.0),
            "network 2: the link of epoch 2 doesn't cover",
        ),
    ],
)
def test_a_damaged_record_is_refused_by_name(run, change, words):
    statement = record(run)
    change(statement)
    (run / layout.PROVENANCE).write_text(json.dumps(statement))
    with pytest.raises(FileFormatError, match=words):
        read_provenance(run)


def test_whole_numbers_may_lose_their_point(run):
    """As other programs write 1.0."""
    text = (run / layout.PROVENANCE).read_text()
    assert "0.5" in text
    (run / layout.PROVENANCE).write_text(text.replace("1.0,", "1,"))
    assert read_provenance(run).predicate == PREDICATE


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"a": 1, "a": 2}', '{"_type": NaN}', "\ud800", '"\\ud800"']
)
def test_other_texts_are_refused(run, text):
    (run / layout.PROVENANCE).write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(FileFormatError, match=r"provenance\.json"):
        read_provenance(run)


def test_a_record_of_a_size_that_is_not_read_is_not_written(run, monkeypatch):
    monkeypatch.setattr(limits, "PROVENANCE_BYTES", 1000)
    with pytest.raises(FileFormatError, match="more than 1,000 bytes"):
        read_provenance(run)
    with pytest.raises(SettingError, match="more than numlp reads"):
        write_provenance(run, PREDICATE)


def test_a_folder_without_a_record(tmp_path):
    with pytest.raises(NumlpError, match=r"has no provenance\.json"):
        read_provenance(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/../b", "..", "./a", "a//b", "a\\b", "C:a", "a\0", "a\n", "a/", "/".join("a" * 40), "a" * 300],
)
def test_a_path_that_could_lead_out_is_none(name):
    assert not is_inside(name)


def test_new_pages_get_new_digests(run):
    before = read_provenance(run)
    with renewing(run) as renewed:
        (run / "report.html").write_text("new")
        (run / "figures/new.png").write_text("new")
    assert sorted(renewed) == ["figures/new.png", "report.html"]
    after = read_provenance(run)
    assert differing(run, after.subjects) == {}
    assert after.predicate == before.predicate


def test_a_record_goes_on_to_show_what_is_wrong(run):
    (run / "figures/loss.png").write_text("tampered with")
    with renewing(run) as renewed:
        (run / "report.html").write_text("new")
    assert renewed == ["report.html"]
    assert differing(run, read_provenance(run).subjects) == {"figures/loss.png": "differs"}
    (run / "metrics.json").write_text("tampered with")
    with renewing(run) as renewed:
        (run / "report.html").write_text("from others")
    assert renewed == []
    assert set(differing(run, read_provenance(run).subjects)) == {"figures/loss.png", "metrics.json", "report.html"}


def test_without_a_record_there_is_nothing_to_renew(tmp_path):
    with renewing(tmp_path) as renewed:
        (tmp_path / "report.html").write_text("new")
    assert renewed == []
    assert not (tmp_path / layout.PROVENANCE).exists()
