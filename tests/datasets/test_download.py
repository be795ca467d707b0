import dataclasses
import gzip
import shutil
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from numlp.datasets import SOURCES, download, load_dataset
from numlp.datasets.download import fetch
from numlp.datasets.folder import FILES, read_folder
from numlp.datasets.sources import locate
from numlp.errors import DownloadError, MissingDependencyError, NumlpError

NAMES = [name for pair in FILES.values() for name in pair]


class Server(ThreadingHTTPServer):
    """Answers requests with files, or calls the function in a file's place."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.asked = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/data/"

    def handle_error(self, request, client_address): ...


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.removeprefix("/data/").removesuffix(".gz")
        self.server.asked.append(name)
        answer = self.server.files.get(name)
        if answer is None:
            self.send_error(404)
        elif callable(answer):
            answer(self)
        else:
            send(self, answer)

    def log_message(self, *_): ...


def send(request, content, length=None, **headers):
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)) if length is None else str(length))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(content)


@pytest.fixture
def serve(monkeypatch):
    """Start local servers, each at its own address."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    servers = []

    def start(files):
        server = Server(files)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.closing.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def packed(tiny_files):
    return {name: gzip.compress(content, 1) for name, content in tiny_files.items()}


@pytest.fixture
def source(tiny, cache):
    """A function from addresses to the source of the tiny data set there; the cache is empty."""
    return lambda *mirrors: dataclasses.replace(tiny, mirrors=mirrors)


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/data/"


def test_a_good_response_ends_in_the_cache(serve, source, packed, cache):
    server = serve(packed)
    folder = fetch(source(server.url))
    assert folder == cache / "tiny" == locate("tiny")
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.gz" for name in NAMES)
    assert all((folder / f"{name}.gz").read_bytes() == packed[name] for name in NAMES)
    assert server.asked == NAMES
    assert [path.name for path in cache.iterdir()] == ["tiny"]


def test_a_downloaded_data_set_can_be_read(serve, source, packed, tiny):
    parts = read_folder(fetch(source(serve(packed).url)), tiny.sha256).parts
    assert [len(rows.x) for rows in parts.values()] == [20, 6]


def test_repacked_files_are_accepted(serve, source, tiny_files):
    fetch(source(serve({name: gzip.compress(content, 9) for name, content in tiny_files.items()}).url))


def test_a_response_without_a_length_is_accepted(serve, source, packed):
    def without_length(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(packed[NAMES[0]])

    fetch(source(serve({**packed, NAMES[0]: without_length}).url))


def test_a_response_declared_as_gzip_is_accepted(serve, source, packed):
    def unpacked_on_the_way(request):
        send(request, packed[NAMES[0]], Content_Encoding="gzip")

    fetch(source(serve({**packed, NAMES[0]: unpacked_on_the_way}).url))


def not_found(request):
    request.send_error(404)


def server_error(request):
    request.send_error(503)


def hang_up(request):
    request.connection.close()


def no_http(request):
    request.wfile.write(b"220 welcome\r\n\r\n")


def redirect_in_a_circle(request):
    request.send_response(302)
    request.send_header("Location", request.path)
    request.send_header("Content-Length", "0")
    request.end_headers()


def redirect_to_a_file(request):
    request.send_response(302)
    request.send_header("Location", "file:///etc/hostname")
    request.send_header("Content-Length", "0")
    request.end_headers()


def web_page(request):
    send(request, b"<html>Please log in</html>")


def empty(request):
    send(request, b"")


def broken_encoding(request):
    send(request, b"not gzipped", Content_Encoding="gzip")


def length_is_no_number(request):
    send(request, b"some bytes", length="some")


def two_lengths(request):
    send(request, b"some bytes", length="10, 10")


ANSWERS = [
    (not_found, "404"),
    (server_error, "503"),
    (hang_up, ""),
    (no_http, ""),
    (redirect_in_a_circle, "redirects"),
    (redirect_to_a_file, ""),
    (web_page, "not an IDX file"),
    (empty, "not an IDX file"),
    (broken_encoding, ""),
    (length_is_no_number, ""),
    (two_lengths, ""),
]
bad_answers = pytest.mark.parametrize(("answer", "said"), ANSWERS, ids=[answer.__name__ for answer, _ in ANSWERS])


def check_refused(source, cache, said):
    """Check that a failed download says where and why, and leaves nothing behind."""
    with pytest.raises(DownloadError, match=r"can't download tiny: .*NUMLP_DATA_DIR") as error:
        fetch(source)
    assert all(f"{mirror}{NAMES[-1]}.gz: " in str(error.value) for mirror in source.mirrors)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(cache.iterdir())
    assert locate("tiny") is None


@bad_answers
def test_a_bad_response_is_named_and_leaves_nothing_behind(serve, source, packed, cache, answer, said):
    check_refused(source(serve({**packed, NAMES[-1]: answer}).url), cache, said)


@bad_answers
def test_after_a_bad_response_the_next_mirror_is_tried(serve, source, packed, answer, said):
    bad, good = serve({**packed, NAMES[1]: answer}), serve(packed)
    folder = fetch(source(bad.url, good.url))
    assert len(list(folder.iterdir())) == len(NAMES)
    assert good.asked == [NAMES[1]]


def test_a_refused_connection_is_named(source, cache):
    with pytest.raises(DownloadError, match=rf"{NAMES[0]}.gz: no connection") as error:
        fetch(source(closed_port()))
    assert isinstance(error.value, NumlpError)
    assert isinstance(error.value, OSError)
    assert not list(cache.iterdir())


def test_after_a_refused_connection_the_next_mirror_is_tried(serve, source, packed):
    server = serve(packed)
    fetch(source(closed_port(), server.url))
    assert server.asked == NAMES


def test_the_error_names_all_mirrors_when_none_delivers(serve, source, cache):
    first, second = serve({}), serve({})
    with pytest.raises(DownloadError) as error:
        fetch(source(first.url, second.url))
    assert first.url in str(error.value)
    assert second.url in str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_body_is_refused(serve, source, packed, cache, share):
    content = packed[NAMES[-1]]

    def truncated(request):
        send(request, content[: int(share * len(content))], length=len(content))

    check_refused(source(serve({**packed, NAMES[-1]: truncated}).url), cache, "")


def test_a_truncated_file_of_the_right_length_is_refused(serve, source, packed, cache):
    check_refused(source(serve({**packed, NAMES[-1]: packed[NAMES[-1]][:-9]}).url), cache, "truncated")


def test_another_file_with_a_wrong_hash_is_refused(serve, source, packed, idx_bytes, cache):
    other = gzip.compress(idx_bytes(np.zeros(6, np.uint8)))
    check_refused(source(serve({**packed, NAMES[-1]: other}).url), cache, "SHA-256")


@pytest.mark.parametrize("declared", [True, False])
def test_a_flood_is_stopped(monkeypatch, serve, source, packed, cache, declared):
    def flood(request):
        request.send_response(200)
        if declared:
            request.send_header("Content-Length", str(1 << 40))
        request.end_headers()
        while not request.server.closing.is_set():
            request.wfile.write(bytes(4096))

    monkeypatch.setattr(download, "_MAX_BYTES", 1 << 16)
    check_refused(source(serve({**packed, NAMES[-1]: flood}).url), cache, "more than 65,536 bytes arrived")


def test_a_file_below_the_limit_is_accepted(monkeypatch, serve, source, packed):
    monkeypatch.setattr(download, "_MAX_BYTES", 12 * 1024)
    fetch(source(serve({name: content.ljust(10 * 1024, b"\0") for name, content in packed.items()}).url))


@pytest.mark.parametrize("before", [True, False], ids=["before the answer", "amid the body"])
def test_a_silent_server_is_given_up(monkeypatch, serve, source, packed, cache, before):
    def silent(request):
        if not before:
            send(request, packed[NAMES[-1]][:10], length=len(packed[NAMES[-1]]))
        request.server.closing.wait()

    monkeypatch.setattr(download, "_TIMEOUT", 0.1)
    check_refused(source(serve({**packed, NAMES[-1]: silent}).url), cache, "no answer within 0.1 s")


def test_the_error_names_a_cache_that_cannot_be_written(monkeypatch, serve, source, packed, cache, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    server = serve(packed)
    with pytest.raises(DownloadError, match=r"can't write the cache .*file"):
        fetch(source(server.url))
    assert not server.asked


def test_the_error_names_a_read_only_cache(serve, source, packed, cache):
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    try:
        (cache / "probe").mkdir()
    except PermissionError:
        with pytest.raises(DownloadError, match="can't write the cache"):
            fetch(source(serve(packed).url))
    else:
        pytest.skip("this user may write everywhere")


def test_a_download_that_another_process_finished_meanwhile_raises_no_error(
    serve, source, packed, tiny_files, cache, write_folder
):
    def late(request):
        write_folder(cache / "tiny", tiny_files)
        send(request, packed[NAMES[-1]])

    folder = fetch(source(serve({**packed, NAMES[-1]: late}).url))
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.gz" for name in NAMES)
    assert [path.name for path in cache.iterdir()] == ["tiny"]


def test_a_file_removed_from_the_cache_is_fetched_again(monkeypatch, serve, source, packed):
    server = serve(packed)
    monkeypatch.setitem(SOURCES, "tiny", source(server.url))
    folder = fetch(SOURCES["tiny"])
    (folder / f"{NAMES[0]}.gz").unlink()
    assert len(load_dataset("tiny").test.x) == 6


def test_a_data_set_found_nowhere_is_downloaded_once(monkeypatch, serve, source, packed):
    server = serve(packed)
    monkeypatch.setitem(SOURCES, "tiny", source(server.url))
    for _ in range(2):
        assert len(load_dataset("tiny").test.x) == 6
    assert server.asked == NAMES


def test_a_folder_that_was_removed_is_downloaded_again(serve, source, packed):
    server = serve(packed)
    for _ in range(2):
        shutil.rmtree(fetch(source(server.url)))
    assert server.asked == 2 * NAMES


@pytest.mark.parametrize("library", ["pooch", "rich.progress"])
def test_the_error_names_a_missing_library_and_the_remedy(monkeypatch, source, cache, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=r"pip install '\.\[app\]'"):
        fetch(source("http://127.0.0.1:1/"))
    assert not list(cache.iterdir())


def test_downloads_write_nothing_to_standard_output(serve, source, packed, capfd):
    fetch(source(serve(packed).url))
    assert capfd.readouterr().out == ""
