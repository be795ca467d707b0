"""Recipe: everything that names a training run, as a frozen value and as TOML.

Training from the same recipe, on the same machine, gives the same bits.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from numlp.arrays.randomness import as_seed
from numlp.data.augmentation import AUGMENTATIONS
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES, Task
from numlp.network.mlp import DTYPES
from numlp.network.scaling import SCALINGS
from numlp.settings import limits
from numlp.settings.checks import (
    choice,
    fraction,
    missing,
    nonnegative,
    positive,
    share,
    truth,
    unknown,
    whole_number,
)
from numlp.settings.named import Check, check_settings, optional, resolve, setting
from numlp.training.optimizers import OPTIMIZERS, Optimizer
from numlp.training.schedules import SCHEDULES, ReduceOnPlateau

OFF = object()


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise SettingError(f"{name} must be a string without zero bytes, not {value!r}")
    return value


def _one_of(registry: Mapping[str, object]) -> Check:
    def check(name: str, value: object) -> Any:
        choice(name, value, registry)
        return value

    return check


def _named(registry: Mapping[str, type[Any]]) -> Check:
    return lambda name, value: str(resolve(name, value, registry))


def _widths(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise SettingError(f"{name} must be a list of widths, not {value!r}")
    return tuple(whole_number(name, width, maximum=limits.UNITS) for width in value)


def _activation(name: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(resolve(name, each, ACTIVATIONS)) for each in value)
    return str(resolve(name, value, ACTIVATIONS))


def _share_or_path(name: str, value: object) -> float | str:
    return _text(name, value) if isinstance(value, str) else share(name, value)


def _class_weight(name: str, value: object) -> str | dict[str, float] | tuple[float, ...]:
    if isinstance(value, Mapping):
        return {str(key): nonnegative(f"{name} of {key}", weight) for key, weight in value.items()}
    if isinstance(value, list | tuple):
        return tuple(nonnegative(name, weight) for weight in value)
    choice(name, value, {"balanced": None})
    return "balanced"


def _count(most: int | None = None, least: int = 1) -> Check:
    return lambda name, value: whole_number(name, value, minimum=least, maximum=most)


def _threads(name: str, value: object) -> int | str:
    if isinstance(value, str):
        choice(name, value, {"timed": None})
        return value
    return whole_number(name, value, maximum=limits.THREADS)


def _seed(name: str, value: object) -> int:
    return as_seed(value)


def _optimizer(text: object) -> Optimizer:
    return resolve("optimizer", text, OPTIMIZERS)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _setting(default: Any, check: Check, panel: str, text: str) -> Any:
    """Declare a setting, with its help and the group that the help shows it in."""
    return setting(default, check, panel=panel, help=text)


@dataclass(frozen=True)
class Recipe:
    """All that a training run depends on; `Recipe.help()` tells what each setting is.

    The settings bear the names that they have in `MLP`, `train` and `load_dataset`. Activations, losses, optimizers,
    schedules and augmentations are texts: a name, and settings of their own in parentheses.

    Examples
    --------
    >>> recipe = Recipe(layers=(128, 128), epochs=3, optimizer="sgd(momentum = 0.9)")
    >>> recipe.edited(epochs=5).epochs
    5
    """

    data: str = _setting("mnist", _text, "Data", "A data set's name, or the path of a file or folder.")
    target: str | None = _setting(
        None, optional(_text), "Data", "The target column of a .csv, or the .npy file with y."
    )
    task: Task | None = _setting(
        None,
        optional(_one_of(dict.fromkeys(typing.get_args(Task)))),
        "Data",
        f"{_listed(typing.get_args(Task))}, if the targets leave it open.",
    )
    weights: str | None = _setting(
        None, optional(_text), "Data", "Of the samples: a column of the .csv, an array of the .npz, a .npy file."
    )
    class_weight: Any = _setting(
        None, optional(_class_weight), "Data", "'balanced', or weights: 1,5 or {cat = 1, dog = 5}."
    )
    validation: float | str = _setting(
        0.05, _share_or_path, "Data", "A share of the training rows, cut from their end, or a file."
    )
    test: str | None = _setting(None, optional(_text), "Data", "A file to judge the result by.")

    layers: tuple[int, ...] = _setting(
        (512, 512), _widths, "Network", "Widths of the hidden layers: 256,256; or none."
    )
    activation: str | tuple[str, ...] = _setting(
        "relu", _activation, "Network", f"Of all hidden layers, or of each: {_listed(ACTIVATIONS)}."
    )
    loss: str | None = _setting(
        None, optional(_named(LOSSES)), "Network", f"{_listed(LOSSES)}; by default it follows from the targets."
    )
    initializer: str | None = _setting(
        None,
        optional(_one_of(INITIALIZERS)),
        "Network",
        f"{_listed(INITIALIZERS)}; by default what suits each layer.",
    )
    normalization: str = _setting("none", _one_of(NORMALIZATIONS), "Network", f"{_listed(NORMALIZATIONS)}.")
    input_scaling: str = _setting("standardize", _one_of(SCALINGS), "Network", f"{_listed(SCALINGS)}.")
    dtype: str = _setting("float32", _one_of(DTYPES), "Network", f"{_listed(DTYPES)}.")

    optimizer: str = _setting("sgd", _named(OPTIMIZERS), "Training", f"{_listed(OPTIMIZERS)}; 'sgd(momentum = 0.9)'.")
    learning_rate: float = _setting(
        None, optional(positive), "Training", "The length of a step; by default the optimizer's usual one."
    )
    schedule: str = _setting(
        "constant", _named(SCHEDULES), "Training", f"Of the rate: {_listed(SCHEDULES)}; 'cosine(warmup = 1)'."
    )
    batch_size: int = _setting(32, _count(), "Training", "Samples a step.")
    epochs: int = _setting(8, _count(), "Training", "Passes over the training data.")
    seed: int = _setting(0, _seed, "Training", "All that is random follows from it.")
    patience: int | None = _setting(
        None, optional(_count()), "Training", "Stop after so many epochs that are no better; keep the best."
    )
    monitor: str = _setting("validation_loss", _text, "Training", "The figure of the history that patience looks at.")
    min_delta: float = _setting(0.0, nonnegative, "Training", "By how much it must be better to count.")
    time_budget: float | None = _setting(
        None, optional(positive), "Training", "Stop after so many seconds, each network of an ensemble."
    )
    threads: int | str | None = _setting(
        None, optional(_threads), "Training", "Of the BLAS; 'timed' tries what is fastest; by default NumPy's choice."
    )

    dropout: float = _setting(0.0, fraction, "Regularization", "The share of hidden units that is dropped.")
    input_dropout: float = _setting(0.0, fraction, "Regularization", "The share of inputs that is dropped.")
    noise: float = _setting(0.0, nonnegative, "Regularization", "Deviation of the noise on hidden units.")
    input_noise: float = _setting(0.0, nonnegative, "Regularization", "Deviation of the noise on scaled inputs.")
    l1: float = _setting(0.0, nonnegative, "Regularization", "Penalty l1 · Σ|w|.")
    l2: float = _setting(0.0, nonnegative, "Regularization", "Penalty ½ l2 · Σw².")
    max_norm: float | None = _setting(
        None, optional(positive), "Regularization", "The largest norm of the weights into a unit."
    )
    label_smoothing: float = _setting(
        0.0, fraction, "Regularization", "The share of each target that is spread over all classes."
    )
    mixup: float = _setting(0.0, nonnegative, "Regularization", "Mix pairs of rows in shares from Beta(x, x).")
    augmentation: str | None = _setting(
        None,
        optional(_named(AUGMENTATIONS)),
        "Regularization",
        "Random changes of images: 'images(rotation = 10, shift = 2)'.",
    )
    adversarial: float = _setting(
        0.0, nonnegative, "Regularization", "Learn also from inputs moved so far against the network."
    )
    clip_norm: float | None = _setting(
        None, optional(positive), "Regularization", "The largest norm of the gradients."
    )
    clip_value: float | None = _setting(
        None, optional(positive), "Regularization", "The largest absolute value of a gradient."
    )
    averaging: float = _setting(
        0.0, fraction, "Regularization", "Decay of a moving average of the parameters, which is what is kept."
    )

    ensemble: int = _setting(1, _count(limits.NETWORKS), "Result", "Train so many networks, and average them.")
    calibrate: bool = _setting(False, truth, "Result", "Fit a temperature to the validation rows.")
    snapshots: int | None = _setting(
        None, optional(_count(least=2)), "Result", "Keep the first layer's weights at so many epochs, for the report."
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.learning_rate:  # None, but never after this: a stored recipe names the rate that was used
            object.__setattr__(self, "learning_rate", _optimizer(self.optimizer).usual_rate)
        if self.task not in (None, self.known_task):
            raise SettingError(f"loss {self.loss!r} is for {self.known_task}, not for task {self.task!r}")
        if self.patience is None and (self.monitor, self.min_delta) != ("validation_loss", 0.0):
            raise SettingError("monitor and min_delta say when patience is lost: name a patience, too")
        self.check_task(self.known_task)
        self._check_patience()
        if isinstance(self.activation, tuple) and len(self.activation) != len(self.layers):
            raise SettingError(
                f"activation must be one for all {len(self.layers)} hidden layers, or one for each, not the "
                f"{len(self.activation)} of {','.join(self.activation)!r}"
            )

    def _check_patience(self) -> None:
        """Refuse to stop before a schedule that waits, too, has lowered the rate and an epoch has tried it."""
        schedule = resolve("schedule", self.schedule, SCHEDULES)
        if self.patience is None or not isinstance(schedule, ReduceOnPlateau) or schedule.figure != self.monitor:
            return
        least = schedule.patience + 2
        if self.patience < least:
            raise SettingError(
                f"patience {self.patience} ends the training before schedule {self.schedule!r} lowers the rate after "
                f"{schedule.patience + 1} epochs: make it {least} or more, or give the schedule less, as in "
                f"'reduce_on_plateau(patience = {(self.patience - 1) // 2})'"
            )

    def check_task(self, task: Task | None) -> None:
        """Refuse settings that have no meaning for targets of a kind."""
        for name in ("label_smoothing", "calibrate", "class_weight"):
            if task == "regression" and getattr(self, name):
                raise SettingError(f"{name} has no meaning for real targets, which have no classes")

    @property
    def known_task(self) -> Task | None:
        """What the targets are, if the loss or the setting `task` says so."""
        return self.task if self.loss is None else resolve("loss", self.loss, LOSSES).task

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Make a recipe from settings by name; those that are absent have their defaults."""
        fields = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in fields:
                raise SettingError(unknown("setting", name, fields))
        return cls(**settings)

    def edited(self, **settings: Any) -> Self:
        """Return the recipe with other settings; None leaves a setting as it is, and OFF makes it None.

        A learning rate that was meant for another optimizer is not kept: unless one is named, it is the usual one.

        >>> Recipe(learning_rate=0.5).edited(optimizer="adam(beta2 = 0.99)").learning_rate
        0.001
        """
        changes = {name: value for name, value in settings.items() if value is not None}
        wanted: dict[str, Any] = {name: None if value is OFF else value for name, value in changes.items()}
        if "optimizer" in wanted and _optimizer(wanted["optimizer"]).name != _optimizer(self.optimizer).name:
            wanted.setdefault("learning_rate")
        return dataclasses.replace(self, **wanted)

    def as_dict(self) -> dict[str, Any]:
        """Return all settings that are not None, by name."""
        settings = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}

    def to_toml(self) -> str:
        """Return the recipe as TOML, without the settings that are off."""
        try:
            import tomli_w
        except ImportError as error:
            raise missing("tomli-w", "writing a recipe", "app") from error
        return tomli_w.dumps(self.as_dict())

    @classmethod
    def help(cls) -> dict[str, str]:
        """Return what each setting is, by name.

        >>> Recipe.help()["epochs"]
        'Passes over the training data.'
        """
        return {field.name: field.metadata["help"] for field in dataclasses.fields(cls)}
