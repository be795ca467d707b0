"""Which arrays of an .npz archive are samples, targets and weights, and of which part of the data.

People name them in many ways: x and y, x_train and y_train (Keras), train_images and train_labels (MedMNIST), arr_0
(`numpy.savez` without names).
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from numlp.errors import FileFormatError, SettingError
from numlp.settings.checks import listed, unknown

_SAMPLES = ("x", "images", "imgs", "data", "features", "inputs", "samples")
_TARGETS = ("y", "labels", "label", "target", "targets")
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_REMEDY = "name the arrays to read with inputs and target (on the command line --inputs and --target)"


class Keys(NamedTuple):
    """The names of the arrays of one part."""

    x: str
    y: str
    weights: str | None = None


def keys_of(
    names: Collection[str], inputs: str | None = None, target: str | None = None, weights: str | None = None
) -> dict[str, Keys]:
    """Return the names of the arrays of each part: "train", "validation" and "test", as far as there are any.

    Parameters
    ----------
    names : collection of str
        All names in the archive.
    inputs, target, weights : str, optional
        The training part's arrays; the other parts' have the same names but for the name of the part.

    Raises
    ------
    FileFormatError, SettingError

    Examples
    --------
    >>> keys_of(["x_train", "y_train", "x_test", "y_test"])["test"]
    Keys(x='x_test', y='y_test', weights=None)
    >>> keys_of(["arr_0", "arr_1"])["train"].y
    'arr_1'
    >>> keys_of(["feats_train", "feats_test", "z_train", "z_test"], inputs="feats_train", target="z_train")["test"].x
    'feats_test'
    """
    if set(names) == {"arr_0", "arr_1"} and inputs is target is None:
        inputs, target = "arr_0", "arr_1"
    samples, targets = _found("x", names, inputs, _SAMPLES), _found("y", names, target, _TARGETS)
    counts = {} if weights is None else _found("weights", names, weights, ())
    parts = [part for part in _PARTS if part in samples and part in targets]
    if not parts:
        raise FileFormatError(f"has x in {listed(samples.values())}, but y in {listed(targets.values())}: {_REMEDY}")
    return {part: Keys(samples[part], targets[part], counts.get(part)) for part in parts}


def samples_key(names: Collection[str], inputs: str | None = None) -> str:
    """Return the name of the array that holds samples alone.

    >>> samples_key(["x", "y"]), samples_key(["anything"])
    ('x', 'anything')
    """
    if inputs is None and len(names) == 1:
        return next(iter(names))
    found = _found("x", names, inputs, _SAMPLES)
    if inputs is not None:
        return inputs
    if len(found) > 1:
        raise FileFormatError(f"holds samples in {listed(found.values())}: name the one to read with --inputs")
    return next(iter(found.values()))


def _found(what: str, names: Collection[str], given: str | None, usual: Iterable[str]) -> dict[str, str]:
    """Return the names that hold `what`, by part."""
    if given is not None and given not in names:
        raise SettingError(unknown(f"array for {what}", given, names))
    wanted = set(usual) if given is None else {_parsed(given)[1]}
    found: dict[str, str] = {}
    for name in names:
        part, rest = _parsed(name)
        if rest not in wanted:
            continue
        if found.get(part) == name:
            raise FileFormatError(f"has several arrays {name!r}")
        if part in found:
            raise FileFormatError(f"may hold {what} in {found[part]!r} or in {name!r}: {_REMEDY}")
        found[part] = name
    if not found:
        raise FileFormatError(f"has no array {what!r}; it holds {listed(names) or 'none'}: {_REMEDY}")
    return found


def _parsed(name: str) -> tuple[str, str]:
    """Return the part that an array belongs to, and the rest of its name."""
    words = [word for word in re.split(r"[-_. ]+", name.lower()) if word]
    for part, spellings in _PARTS.items():
        for spelling in spellings:
            if len(words) > 1 and spelling in words:
                return part, " ".join(word for word in words if word != spelling)
    return "train", " ".join(words)
