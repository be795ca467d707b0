"""Named data sets: where their files are found, and the hashes that verify them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from numlp.datasets.folder import is_whole
from numlp.errors import FileFormatError


@dataclass(frozen=True)
class Source:
    """A named data set.

    Attributes
    ----------
    name, title, license : str
    class_names : tuple of str
    sha256 : mapping
        The hash of the decompressed bytes of each of `numlp.datasets.folder.FILES`: re-packed gzips differ.
    mirrors : tuple of str
        URLs of folders that hold the gzipped files, in the order to try them.
    """

    name: str
    title: str
    license: str
    class_names: tuple[str, ...]
    sha256: Mapping[str, str]
    mirrors: tuple[str, ...]


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="mnist",
            title="MNIST: 70,000 handwritten digits, 28×28",
            license="CC BY-SA 3.0 (LeCun, Cortes, Burges)",
            class_names=tuple("0123456789"),
            sha256={
                "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
            mirrors=(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
        ),
        Source(
            name="fashion-mnist",
            title="Fashion-MNIST: 70,000 pictures of clothes, 28×28",
            license="MIT (Zalando SE)",
            class_names=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            sha256={
                "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
            mirrors=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",),
        ),
    )
}


def locate(name: str, data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the first folder that holds a named data set, or None.

    If `data_dir` is given, only that folder is searched. Otherwise the search covers $NUMLP_DATA_DIR, the package,
    /usr/share/datasets, where Debian's packages put data sets, and the user's cache, and skips folders that lack a
    file.

    Raises
    ------
    FileFormatError
        If `data_dir` is given but has no folder `name`.
    """
    if data_dir is not None:
        if not Path(data_dir, name).is_dir():
            raise FileFormatError(f"data_dir must hold a folder {name!r}, but there is no {Path(data_dir, name)}")
        return Path(data_dir, name)
    return next((folder for folder in _folders(name) if folder.is_dir() and is_whole(folder)), None)


def _folders(name: str) -> Iterator[Path]:
    if root := os.environ.get("NUMLP_DATA_DIR"):
        yield Path(root, name)
    yield Path(__file__).with_name(name)
    yield Path("/usr/share/datasets", name)
    yield cache_folder(name)


def cache_folder(name: str) -> Path:
    """Return the folder in the user's cache that a data set is downloaded to."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "numlp", name)
