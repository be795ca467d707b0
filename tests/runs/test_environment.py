import getpass
import platform
from pathlib import Path

import threadpoolctl

from numlp.runs.environment import environment, source_digest
from numlp.training.threads import limited


def test_a_digest_of_sources_covers_paths_and_contents_but_no_line_endings_and_compiled_files(tmp_path):
    def written(**files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, content in files.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return source_digest(folder)

    whole = written(a_py=b"x = 1\n", b__c_py=b"y\n")
    assert whole == written(a_py=b"x = 1\r\n", b__c_py=b"y\r\n", b__c_pyc=b"compiled", note_txt=b"of mine")
    others = [
        written(a_py=b"x = 2\n", b__c_py=b"y\n"),
        written(a_py=b"x = 1\n", b__d_py=b"y\n"),
        written(a_py=b"x = 1\n"),
        written(a_py=b"x = 1\ny\n", b__c_py=b""),
    ]
    assert len({whole, *others}) == 1 + len(others)


def test_the_digest_is_of_the_sources_that_run():
    import numlp

    assert source_digest() == source_digest(Path(numlp.__file__).parent)


def test_the_environment_names_no_person_host_or_folder():
    found = environment()
    for name in ("python", "numpy", "blas", "machine", "system"):
        assert found[name], name
    for private in (platform.node(), getpass.getuser(), str(Path.home())):
        for text in found.values():
            assert private not in text.split()
            assert "/" not in text.replace("w/", "")


def test_the_environment_has_the_number_of_threads():
    with limited(1):
        assert environment()["threads"] == "1"


def test_of_two_libraries_the_blas_is_numpys(monkeypatch):
    listed = threadpoolctl.threadpool_info()
    folder = Path("site-packages", "scipy.libs", "libopenblas.so")
    scipys = {"user_api": "blas", "internal_api": "openblas", "version": "0", "filepath": str(folder)}
    before = environment()
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [{**scipys, "num_threads": 1}, *listed])
    assert environment() == before
