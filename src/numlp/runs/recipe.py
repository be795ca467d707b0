"""Recipe: all settings of a training run, as a frozen value and as TOML.

Training from the same recipe on the same machine gives the same bits, with portable arithmetic on every machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from numlp.arrays.arithmetic import ARITHMETICS, as_arithmetic
from numlp.data.augmentation import AUGMENTATIONS
from numlp.errors import SettingError
from numlp.network.activations import ACTIVATIONS
from numlp.network.encoder import ENCODINGS
from numlp.network.features import INPUT_FEATURES
from numlp.network.initializers import INITIALIZERS
from numlp.network.layers import NORMALIZATIONS
from numlp.network.losses import LOSSES, Task
from numlp.network.mlp import DTYPES
from numlp.network.scaling import SCALINGS
from numlp.runs import checks
from numlp.runs.data import DataSettings
from numlp.runs.data import listed as _listed
from numlp.runs.data import recipe_setting as _setting
from numlp.settings import limits
from numlp.settings.checks import fraction, missing, nonnegative, positive, share_or_all, truth, unknown
from numlp.settings.named import check_settings, optional, resolve
from numlp.training.optimizer import Optimizer
from numlp.training.optimizers import OPTIMIZERS
from numlp.training.schedules import SCHEDULES, ReduceOnPlateau

OFF = object()


def _optimizer(text: object) -> Optimizer:
    return resolve("optimizer", text, OPTIMIZERS)


@dataclass(frozen=True)
class Recipe(DataSettings):
    """All settings of a training run; `Recipe.help` explains each.

    Settings have the same names as in `MLP`, `train` and `load_dataset`. Activations, losses, optimizers, schedules
    and augmentations are texts: a name, followed by their own settings in parentheses.

    Examples
    --------
    >>> recipe = Recipe(layers=(128, 128), epochs=3, optimizer="sgd(momentum = 0.9)")
    >>> recipe.edited(epochs=5).epochs
    5
    """

    layers: tuple[int, ...] = _setting(
        (512, 512), checks.widths, "Network", "Widths of the hidden layers, such as 256,256, or none."
    )
    activation: str | tuple[str, ...] = _setting(
        "relu", checks.activation, "Network", f"One for all hidden layers, or one for each: {_listed(ACTIVATIONS)}."
    )
    loss: str | None = _setting(
        None, optional(checks.named(LOSSES)), "Network", f"{_listed(LOSSES)}; by default chosen from the targets."
    )
    initializer: str | None = _setting(
        None,
        optional(checks.one_of(INITIALIZERS)),
        "Network",
        f"{_listed(INITIALIZERS)}; by default the one that suits each layer.",
    )
    normalization: str = _setting(
        "none", checks.one_of(NORMALIZATIONS), "Network", f"Of the hidden layers: {_listed(NORMALIZATIONS)}."
    )
    input_scaling: str = _setting(
        "standardize", checks.one_of(SCALINGS), "Network", f"Scaling of the inputs: {_listed(SCALINGS)}."
    )
    input_features: str | None = _setting(
        None,
        optional(checks.named(INPUT_FEATURES)),
        "Network",
        "Computed from images before the first weights, such as 'oriented_gradients(cell = 4)'.",
    )
    input_encoding: str | None = _setting(
        None, optional(checks.named(ENCODINGS)), "Network", "Encoding of a table's columns: 'columns(bins = 16)'."
    )
    dtype: str = _setting("float32", checks.one_of(DTYPES), "Network", f"Type of the weights: {_listed(DTYPES)}.")
    arithmetic: str = _setting(
        "ordinary",
        checks.one_of(ARITHMETICS),
        "Network",
        f"{_listed(ARITHMETICS)}; 'portable' gives the same bits on every machine.",
    )

    optimizer: str = _setting(
        "sgd", checks.named(OPTIMIZERS), "Training", f"{_listed(OPTIMIZERS)}; with settings, 'sgd(momentum = 0.9)'."
    )
    learning_rate: float = _setting(
        None, optional(positive), "Training", "Learning rate; by default the optimizer's usual one."
    )
    schedule: str = _setting(
        "constant",
        checks.named(SCHEDULES),
        "Training",
        f"Of the learning rate: {_listed(SCHEDULES)}; with settings, 'cosine(warmup = 1)'.",
    )
    batch_size: int = _setting(32, checks.count(), "Training", "Samples per step.")
    epochs: int = _setting(8, checks.count(), "Training", "Passes over the training data.")
    seed: int = _setting(0, checks.seed, "Training", "Seed of all randomness.")
    patience: int | None = _setting(
        None,
        optional(checks.count()),
        "Training",
        "Stop after this many epochs without improvement; keep the best weights.",
    )
    monitor: str = _setting(
        "validation_loss", checks.text, "Training", "Column of the history that patience watches."
    )
    min_delta: float = _setting(
        0.0, nonnegative, "Training", "The least improvement for an epoch to count as better."
    )
    time_budget: float | None = _setting(
        None, optional(positive), "Training", "Stop after this many seconds, for each network of an ensemble."
    )
    threads: int | str | None = _setting(
        None,
        optional(checks.count_or_timed(limits.THREADS)),
        "Training",
        "Number of BLAS threads, or 'timed' to find the fastest; by default NumPy's choice.",
    )
    processes: int | str | None = _setting(
        None,
        optional(checks.count_or_timed(limits.PROCESSES)),
        "Training",
        "Number of processes, or 'timed' to find the fastest; by default it follows from cores and sizes.",
    )

    dropout: float = _setting(0.0, fraction, "Regularization", "Share of hidden units to drop.")
    input_dropout: float = _setting(0.0, fraction, "Regularization", "Share of inputs to drop.")
    noise: float = _setting(0.0, nonnegative, "Regularization", "Standard deviation of the noise on hidden units.")
    input_noise: float = _setting(0.0, nonnegative, "Regularization", "Standard deviation of noise on scaled inputs.")
    l1: float = _setting(0.0, nonnegative, "Regularization", "Penalty l1 · Σ|w|.")
    l2: float = _setting(0.0, nonnegative, "Regularization", "Penalty ½ l2 · Σw².")
    max_norm: float | None = _setting(
        None, optional(positive), "Regularization", "Largest norm of the weights into a unit."
    )
    label_smoothing: float = _setting(
        0.0, fraction, "Regularization", "Share of each target to spread over all classes."
    )
    mixup: float = _setting(
        0.0, nonnegative, "Regularization", "Mix pairs of rows, in shares from Beta(x, x), where x is this value."
    )
    augmentation: str | None = _setting(
        None,
        optional(checks.named(AUGMENTATIONS)),
        "Regularization",
        "Random changes to images, such as 'images(rotation = 10, shift = 2)'.",
    )
    adversarial: float = _setting(
        0.0, nonnegative, "Regularization", "Also train on inputs moved by this distance to raise their loss."
    )
    clip_norm: float | None = _setting(None, optional(positive), "Regularization", "Largest norm of the gradients.")
    clip_value: float | None = _setting(
        None, optional(positive), "Regularization", "Largest absolute value of a gradient."
    )
    averaging: float = _setting(
        0.0,
        fraction,
        "Regularization",
        "Decay of a moving average of the parameters, which replaces them in the result.",
    )

    teacher: str | None = _setting(
        None, optional(checks.text), "Training", "A run or a model file whose predictions become part of the targets."
    )
    distillation: float | None = _setting(
        None,
        optional(share_or_all),
        "Training",
        "The share of each target that the teacher's prediction makes up; by default 0.9.",
    )

    ensemble: int = _setting(1, checks.count(limits.NETWORKS), "Result", "Number of networks to train and average.")
    folds: int | None = _setting(
        None,
        optional(checks.folds),
        "Result",
        "Parts of the training rows; each validates a network (or an ensemble) that the others train.",
    )
    calibrate: bool | None = _setting(
        None,
        optional(truth),
        "Result",
        "Fit probabilities or intervals to the validation rows; by default intervals, and the average of folds.",
    )
    snapshots: int | None = _setting(
        None,
        optional(checks.count(least=2)),
        "Result",
        "Number of epochs at which to save the first layer's weights for the report.",
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.learning_rate:  # None here, never later: a stored recipe names the rate that it used
            object.__setattr__(self, "learning_rate", _optimizer(self.optimizer).usual_rate)
        if self.task not in (None, self.known_task):
            raise SettingError(
                f"loss {self.loss!r} is for {self.known_task}, not for {self.task}: change loss or task"
            )
        if self.patience is None and (self.monitor, self.min_delta) != ("validation_loss", 0.0):
            raise SettingError("monitor and min_delta have an effect only with patience: set patience as well")
        if self.teacher is None and self.distillation is not None:
            raise SettingError("distillation has an effect only with a teacher: set teacher as well")
        self.check_task(self.known_task)
        as_arithmetic(self.arithmetic, DTYPES[self.dtype])
        self._check_patience()
        if isinstance(self.activation, tuple) and len(self.activation) != len(self.layers):
            raise SettingError(
                f"activation must be one for all {len(self.layers)} hidden layers, or one for each, not the "
                f"{len(self.activation)} in {','.join(self.activation)!r}"
            )

    def _check_patience(self) -> None:
        """Refuse a patience that ends training before the schedule lowers the rate and an epoch tries that rate."""
        schedule = resolve("schedule", self.schedule, SCHEDULES)
        if self.patience is None or not isinstance(schedule, ReduceOnPlateau) or schedule.figure != self.monitor:
            return
        least = schedule.patience + 2
        if self.patience < least:
            raise SettingError(
                f"patience {self.patience} ends training before schedule {self.schedule!r} lowers the rate after "
                f"{schedule.patience + 1} epochs: make it {least} or more, or give the schedule less patience, as in "
                f"'reduce_on_plateau(patience = {(self.patience - 1) // 2})'"
            )

    def check_task(self, task: Task | None) -> None:
        """Refuse settings that have no meaning for a task."""
        for name in ("label_smoothing", "class_weight"):
            if task == "regression" and getattr(self, name):
                raise SettingError(
                    f"{name} has no meaning for real-valued targets, which have no classes: turn it off"
                )

    @property
    def n_networks(self) -> int:
        """The number of networks to train: the ensemble's, for each fold."""
        return self.ensemble * (self.folds or 1)

    @property
    def known_task(self) -> Task | None:
        """The task, if the loss or the setting `task` determines it, else None."""
        return self.task if self.loss is None else resolve("loss", self.loss, LOSSES).task

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Return a recipe with the given settings by name, and defaults for all others."""
        fields = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in fields:
                raise SettingError(unknown("setting", name, fields))
        return cls(**settings)

    def edited(self, **settings: Any) -> Self:
        """Return the recipe with other settings; None leaves a setting unchanged, and OFF sets it to None.

        A change of optimizer resets the learning rate to the new optimizer's usual one, unless `settings` names one.

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
        """Return a description of each setting, by name.

        >>> Recipe.help()["epochs"]
        'Passes over the training data.'
        """
        return {field.name: field.metadata["help"] for field in dataclasses.fields(cls)}
