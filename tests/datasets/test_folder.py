import numpy as np
import pytest

from numlp.datasets import load_dataset, load_rows
from numlp.datasets.folder import is_idx, read_folder
from numlp.errors import DataError, FileFormatError

IMAGES = np.arange(12 * 9, dtype=np.uint8).reshape(12, 3, 3)
LABELS = np.arange(12, dtype=np.uint8) % 3
TEST = (IMAGES[:4] + 1, LABELS[:4])


@pytest.fixture
def folder(tmp_path, idx_bytes):
    """Write arrays under names into a folder, as IDX files."""

    def write(**named):
        for name, array in named.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(idx_bytes(array))
        return tmp_path / "data"

    return write


@pytest.mark.parametrize(
    "names",
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-images-idx3-ubyte", "test-labels-idx1-ubyte"),
        ("train-images.idx", "train-labels.idx", "test-images.idx", "test-labels.idx"),
        ("Train_Images.idx3-ubyte", "Train_Labels.idx1-ubyte", "T10K_Images.idx3-ubyte", "T10K_Labels.idx1-ubyte"),
        (
            "train-images-idx3-ubyte/train-images-idx3-ubyte",
            "train-labels-idx1-ubyte/train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte/t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte",
        ),
    ],
    ids=["unpacked by 7-Zip", "test", "short", "capitals", "folders"],
)
def test_mnist_is_found_under_the_names_that_people_have(folder, names):
    path = folder(**dict(zip(names, (IMAGES, LABELS, *TEST), strict=True)))
    parts = read_folder(path).parts
    assert {part: len(rows.x) for part, rows in parts.items()} == {"train": 12, "test": 4}
    assert np.array_equal(parts["test"].x, TEST[0])


def emnist(split, labels=LABELS):
    images = IMAGES.transpose(0, 2, 1)
    return {
        f"emnist-{split}-train-images-idx3-ubyte": images,
        f"emnist-{split}-train-labels-idx1-ubyte": labels,
        f"emnist-{split}-test-images-idx3-ubyte": images[:4],
        f"emnist-{split}-test-labels-idx1-ubyte": labels[:4],
    }


def test_emnist_s_images_stand_upright_and_the_user_is_told(folder):
    with pytest.warns(UserWarning, match="EMNIST's files hold their images transposed; numlp has turned them"):
        dataset = load_dataset(folder(**emnist("digits")))
    assert np.array_equal(dataset.train.x[0], IMAGES[0])
    assert np.array_equal(dataset.test.x, IMAGES[:4])
    assert dataset.class_names == tuple("0123456789")


def test_emnist_s_letters_are_named_and_counted_from_a(folder):
    with pytest.warns(UserWarning, match="A is class 0"):
        dataset = load_dataset(folder(**emnist("letters", LABELS + 1)))
    assert [dataset.class_names[y] for y in dataset.test.y] == ["A", "B", "C", "A"]
    with pytest.warns(UserWarning, match="EMNIST"):
        rows = load_rows(folder(), n_features=9, names=["C", "B", "A"])[0]
    assert rows.y.tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize(("split", "count"), [("balanced", 47), ("bymerge", 47), ("byclass", 62), ("mnist", 10)])
def test_emnist_s_classes_have_their_names(folder, split, count):
    labels = np.arange(12, dtype=np.uint8) % 10
    labels[:3] = [count - 1, 0, 9]
    with pytest.warns(UserWarning, match="EMNIST"):
        dataset = load_dataset(folder(**emnist(split, labels)))
    assert len(dataset.class_names) == count
    found = [dataset.class_names[y] for y in dataset.train.y[:3]]
    assert found == [{47: "t", 62: "z", 10: "9"}[count], "0", "9"]


def test_one_of_several_sets_is_chosen_by_one_of_its_files(folder):
    path = folder(**emnist("digits"), **emnist("letters", LABELS + 1))
    with pytest.raises(
        FileFormatError, match="holds several data sets; name a file of the one to read: emnist-digits"
    ):
        load_dataset(path)
    with pytest.warns(UserWarning, match="letters"):
        dataset = load_dataset(path / "emnist-letters-train-images-idx3-ubyte")
    assert dataset.class_names[0] == "A"


def test_emnist_s_images_must_be_squares(folder):
    files = emnist("digits") | {"emnist-digits-train-images-idx3-ubyte": np.zeros((12, 3, 2), np.uint8)}
    with pytest.raises(DataError, match="must be squares"):
        read_folder(folder(**files))


def test_the_class_of_qmnist_s_labels_is_their_first_column(folder):
    labels = np.zeros((12, 8), np.int32)
    labels[:, 0], labels[:, 2] = LABELS, 3000
    path = folder(
        **{
            "qmnist-train-images-idx3-ubyte": IMAGES,
            "qmnist-train-labels-idx2-int": labels,
            "qmnist-test-images-idx3-ubyte": TEST[0],
            "qmnist-test-labels-idx2-int": labels[:4],
        }
    )
    with pytest.warns(UserWarning, match="as QMNIST does; numlp takes the first, the class"):
        dataset = load_dataset(path)
    assert dataset.test.y.tolist() == TEST[1].tolist()
    assert dataset.class_names == ("0", "1", "2")


def test_labels_in_one_column_are_labels(folder):
    path = folder(**{"train-images-idx3-ubyte": IMAGES, "train-labels-idx2-ubyte": LABELS[:, None]})
    assert load_dataset(path).train.y.tolist() == LABELS[:11].tolist()


def test_a_gzipped_file_comes_before_its_unpacked_twin(folder, write_folder, idx_bytes):
    path = folder(**{"train-images-idx3-ubyte": IMAGES[:2], "train-labels-idx1-ubyte": LABELS})
    write_folder(path, {"train-images-idx3-ubyte": idx_bytes(IMAGES)})
    assert len(read_folder(path).parts["train"].x) == 12


def test_the_error_names_the_folder_below_that_holds_the_files(folder):
    path = folder(**{"raw/train-images-idx3-ubyte": IMAGES, "raw/train-labels-idx1-ubyte": LABELS})
    with pytest.raises(
        FileFormatError, match=r"holds no tables, and no IDX files named like MNIST's.*name the folder .*raw"
    ):
        load_dataset(path)
    assert len(load_dataset(path / "raw").train.x) == 11


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("t10k-labels.idx1-ubyte.gz", True),
        ("qmnist-test-labels-idx2-int.gz", True),
        ("xnist-images-idx3-ubyte", True),
        ("train-images.gz", False),
        ("images.csv", False),
        ("train-images-idx3-ubyte.xz", False),
    ],
)
def test_names_of_idx_files_are_recognized(name, known):
    assert is_idx(name) == known
