"""Feed: turns the user's data into batches for training and rows for validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from numlp.arrays.frames import columns_of
from numlp.arrays.sparse import is_sparse
from numlp.arrays.special import AnyArray
from numlp.arrays.targets import names_in
from numlp.data.augmentation import Images
from numlp.data.batches import Batches
from numlp.data.chunked import Chunked, Totals, checked_chunks, stored_rows
from numlp.data.rows import (
    Data,
    Rows,
    check_rows,
    check_several,
    class_weights_for,
    normalized,
    pair,
    weighted_by_class,
)
from numlp.data.streams import Source, Stream
from numlp.data.teacher import Teacher
from numlp.data.weights import ClassWeight
from numlp.data.windows import WindowedBatches
from numlp.errors import DataError, SettingError
from numlp.network.comparison import compare
from numlp.network.features import check_images
from numlp.network.layers import BatchNorm
from numlp.network.mlp import MLP
from numlp.network.value_range import ValueRange, joined, value_range
from numlp.training.regularization import Regularization


class Feed(NamedTuple):
    """The data of a training run, and what the network learns from it at once, by the network's attribute."""

    batches: Batches | Stream
    validation: Rows | None
    learned: dict[str, Any]


def make_feed(
    network: MLP,
    data: Data | Source | Batches | Chunked,
    validation: Data | Chunked | None,
    batch_size: int,
    epochs: int,
    seed: int,
    class_weight: ClassWeight | None,
    augmentation: Images | None,
    regularization: Regularization,
    teacher: Teacher | None,
) -> Feed:
    """Check all data against a network and the settings, and return the feed; see `numlp.train`."""
    if not isinstance(network, MLP):
        raise SettingError(
            f"network must be an MLP, not {type(network).__name__}; train the members of an ensemble one by one"
        )
    regularization.check(network)
    # Smoothing moves a row of probabilities towards the uniform distribution, and a label towards 0.5.
    rest = 0.5 if network.loss.task == "labels" else 1 / network.n_targets
    smoothing = {"smoothing": regularization.label_smoothing, "rest": rest}
    made: dict[str, Any] = {
        "n_targets": network.n_targets,
        "batch_size": batch_size,
        "dtype": network.dtype,
        "seed": seed,
        "mixup": regularization.mixup,
        "augmentation": augmentation,
        "arithmetic": network.arithmetic,
        "teacher": teacher,
        **smoothing,
    }
    least_rows = 2 if any(isinstance(layer, BatchNorm) for layer in network.layers) else 1
    if isinstance(data, Chunked):
        feed = _windowed(network, data, validation, class_weight, made)
    elif isinstance(validation, Chunked):
        raise SettingError("validation rows that don't fit into memory need training rows that don't, either")
    elif isinstance(data, Batches) or _is_stream(data):
        _check_made_batches(class_weight, augmentation, regularization, teacher)
        held_out = None if validation is None else normalized(_held_out(network, validation, network.class_names))
        if not isinstance(data, Batches):
            _check_repeatable(data, epochs)
            return Feed(Stream(data, network, network.scaling_of, least_rows=least_rows, **smoothing), held_out, {})
        feed = _ready_made(network, data, held_out, regularization)
    else:
        feed = _in_memory(network, data, validation, class_weight, made)
    if feed.batches.batch_size < least_rows:
        raise SettingError("batch_size must be 2 or more with batch normalization: one row has no variance")
    return feed


def _in_memory(
    network: MLP, data: Data | Source, validation: Data | None, class_weight: ClassWeight | None, made: dict[str, Any]
) -> Feed:
    """Return the feed of rows in memory, in batches that are `made` with these settings, unless data is no rows."""
    if isinstance(data, tuple | list) and data and all(_is_batch(part) for part in data):
        raise DataError("data looks like batches: pass them as a list of tuples, as in [(x, y), (x, y)]")
    samples, labels, *_ = pair(data)
    names = network.class_names or (None if network.loss.task == "regression" else names_in(labels))
    columns = network.feature_names or columns_of(samples)
    rows = check_rows(network, data, names, columns)
    check_several(network, rows)
    if (teacher := made["teacher"]) is not None:
        teacher.check(network, names)
    held_out = None if validation is None else _held_out(network, validation, names, columns)
    if class_weight is not None:
        weights = class_weights_for(network, rows, class_weight, names)
        rows = weighted_by_class(network, rows, weights)
        held_out = None if held_out is None else weighted_by_class(network, held_out, weights)
    rows = normalized(rows)
    held_out = None if held_out is None else normalized(held_out)
    shape = _shape(network, samples)
    batches = Batches(rows, scaling=network.scaling_of(rows.x.dtype), image_shape=shape, **made)
    seen = _range(network, rows.x, shape, held_out, columns)
    learned = {"class_names": names, "feature_names": columns, "input_shape": shape, "input_range": seen}
    return Feed(batches, held_out, learned)


def _ready_made(network: MLP, batches: Batches, held_out: Rows | None, regularization: Regularization) -> Feed:
    """Return the feed of `Batches` that the caller has made."""
    if regularization.label_smoothing:
        raise SettingError(
            f"label_smoothing must be 0 with ready-made batches, not {regularization.label_smoothing:g}; set it in "
            "Batches(smoothing=…)"
        )
    batches.check(network.row_size, network.n_targets, network.dtype, network.arithmetic)
    seen = _range(network, batches.x, network.input_shape, held_out, network.feature_names)
    return Feed(batches, held_out, {"input_range": seen})


def _windowed(
    network: MLP,
    data: Chunked,
    validation: Data | Chunked | None,
    class_weight: ClassWeight | None,
    made: dict[str, Any],
) -> Feed:
    """Return the feed of rows that don't fit into memory, after a pass over them that checks them.

    It writes them to files as the network takes them, unless they lie in one so already.
    """
    samples, labels, *_ = data.sample
    names = network.class_names or (None if network.loss.task == "regression" else names_in(labels))
    columns, shape = network.feature_names or columns_of(samples), _shape(network, samples)
    if (teacher := made["teacher"]) is not None:
        teacher.check(network, names)
    totals, seen = Totals(network), list[ValueRange]()

    def checked() -> Iterator[Rows]:
        for rows in checked_chunks(network, data, names, columns):
            totals.see(rows)
            found = _range(network, rows.x, shape, None, columns)
            seen[:] = [] if found is None else [joined([*seen, found])]
            yield rows

    rows = stored_rows(checked(), None if data.stored is None else data.stored.shaped(network.row_size))
    totals.check()
    weights = None if class_weight is None else totals.class_weights(class_weight, names)

    def weighted(rows: Rows) -> Rows:
        return rows if weights is None else weighted_by_class(network, rows, weights)

    mean = totals.mean_weight(weights)

    def final(rows: Rows) -> Rows:
        rows = weighted(rows)
        return rows if rows.weights is None else rows._replace(weights=rows.weights / mean)

    held_out: Rows | None = None
    if isinstance(validation, Chunked):
        held_out = stored_rows(map(weighted, checked_chunks(network, validation, names, columns)), None)
    elif validation is not None:
        held_out = normalized(weighted(_held_out(network, validation, names, columns)))
    made |= {"scaling": network.scaling_of(rows.x.dtype), "image_shape": shape}
    batches = WindowedBatches(rows, memory=data.memory, weighted=final, digest=data.digest, **made)
    learned = {
        "class_names": names,
        "feature_names": columns,
        "input_shape": shape,
        "input_range": seen[0] if seen else None,
    }
    if held_out is not None and seen:
        compare(held_out.x, seen[0], names=columns, what="validation")
    return Feed(batches, held_out, learned)


def _shape(network: MLP, samples: Any) -> tuple[int, ...]:
    """Return the shape of one of these samples."""
    if network.input_encoding is not None:
        return network.layer_size[:1]
    given = samples.shape if is_sparse(samples) else np.shape(samples)
    found = tuple(int(size) for size in given[1:])
    if network.image_shape is not None:
        check_images(found, network.image_shape)
    return network.input_shape or found


def _check_repeatable(data: Source, epochs: int) -> None:
    if epochs > 1 and isinstance(data, Iterator):
        raise DataError(
            f"data must be a list or a function of the epoch for {epochs} epochs: one epoch uses up a generator"
        )


def _range(
    network: MLP,
    x: AnyArray,
    shape: tuple[int, ...] | None,
    held_out: Rows | None,
    columns: tuple[str, ...] | None,
) -> ValueRange | None:
    """Return the range of all values that the network has been trained on once it has learned from these rows."""
    if network.input_encoding is not None:  # which knows itself what it has seen
        return None
    known, found = network.input_range, value_range(x, image=shape is not None and len(shape) > 1)
    if known is not None and known.of_pixels:  # columns of a table may come in few rows at a time
        compare(x, known)
    found = found if known is None else joined([known, found])
    if held_out is not None:
        compare(held_out.x, found, names=columns, what="validation")
    return found


def _held_out(
    network: MLP, validation: Data, names: tuple[str, ...] | None, columns: tuple[str, ...] | None = None
) -> Rows:
    pair(validation, "validation")
    try:
        return check_rows(network, validation, names, columns)
    except DataError as error:
        raise DataError(f"validation: {error}") from error


def _is_batch(part: object) -> bool:
    """Return whether this can only be a batch: the arrays that make up x or y alone would have one shape."""
    if not isinstance(part, tuple | list) or len(part) not in (2, 3):
        return False
    return all(isinstance(array, np.ndarray) for array in part) and part[0].shape != part[1].shape


def _is_stream(data: Any) -> TypeGuard[Source]:
    """Return whether data comes in batches: from a function, or an iterable that is neither a tuple nor an array.

    A list holds batches if its first element is a tuple; otherwise it is a pair of arrays.
    """
    if is_sparse(data):
        return False
    if isinstance(data, list):
        return not data or isinstance(data[0], tuple)
    return callable(data) or (isinstance(data, Iterable) and not isinstance(data, tuple | np.ndarray | str | dict))


def _check_made_batches(
    class_weight: ClassWeight | None,
    augmentation: Images | None,
    regularization: Regularization,
    teacher: Teacher | None,
) -> None:
    wanted = {
        "class_weight": class_weight,
        "augmentation": augmentation,
        "mixup": regularization.mixup or None,
        "teacher": teacher,
    }
    for name, value in wanted.items():
        if value is not None:
            raise SettingError(f"{name} needs data as arrays, not batches; apply it where you make the batches")
