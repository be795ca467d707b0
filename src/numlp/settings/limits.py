"""Limits on what a file may ask for. A file that asks for more is refused before anything is allocated.

Honest files come nowhere near these limits; each keeps a small file from costing much time or memory.
"""

UNITS = 1 << 24  # of one layer
LAYERS = 1000  # of a network
SIDE = 1 << 11  # of an image from which features are computed, in pixels
WEIGHTS = 1 << 31  # of a network: 8 GiB of float32
THREADS = 1024  # of the BLAS
PROCESSES = 64  # that train one network: with n, there are n (n - 1) semaphores
NETWORKS = 1000  # of an ensemble
RANK = 64  # of an array; NumPy's own limit

SETTING = 1 << 12  # characters of a named value, such as "sgd(momentum = 0.9)"
RECIPE_BYTES = 1 << 18
TEXT_BYTES = 1 << 24  # of a run's history or metrics
PROVENANCE_BYTES = 1 << 26  # as many epochs as a history may have
SUBJECTS = 1 << 16  # files that a run's provenance covers
HEADER_BYTES = 1 << 24  # of a model file; holds its description
CHECKPOINT_HEADER_BYTES = 1 << 26  # of a checkpoint; holds the history, too
TENSORS = 1 << 16  # of a model file or a checkpoint
ARRAY_HEADER_BYTES = 10_000  # of an .npy file; NumPy's own limit
IMAGE_BYTES = 1 << 26  # of a file with an image
SCANS = 1000  # of a JPEG file; each goes through all pixels
COLUMNS = 5000  # of a file of a table; DuckDB takes 3 ms and more for each
LEVELS = 1 << 23  # of a column of texts; their codes are exact in float32
LEVEL_NAMES_BYTES = 3 << 22  # of all columns; a model file's description holds them, and more
LINE = 1 << 20  # bytes of a CSV file or of JSON lines
NODES = 1 << 16  # of an ONNX graph
EXTERNAL_BYTES = 1 << 34  # of a file of numbers beside an ONNX file: those of a network in float64
NAMES = 50  # in a message

_RATIO = 100
_AT_LEAST = 1 << 27


def unpacked(size: int) -> int:
    """Return how many bytes `size` bytes of a file may unpack to.

    The limit is a factor of 100: deflate can reach 1000, but no data that anyone learns from packs so well. Any file
    may unpack to 128 MiB.

    >>> unpacked(1000) == 128 * 2**20, unpacked(10**9)
    (True, 100000000000)
    """
    return max(_AT_LEAST, _RATIO * size)


def read_memory(size: int, columns: int = 1) -> int:
    """Return how many bytes of memory the engine may take that reads a table of `size` bytes, packed or not.

    A cell of two bytes, such as ``1,``, takes 16 in memory, and packed text is a tenth of what it unpacks to. DuckDB
    counts a block of 256 KiB for each column, of which a short column fills little.

    >>> read_memory(0) == 2**29 + 2**18, read_memory(10**9)
    (True, 64537133056)
    """
    return (1 << 29) + 64 * size + (columns << 18)
