"""Recipes: everything that names a training run, as a frozen value and as TOML.

Training from the same recipe, on the same machine, gives the same bits.
"""

import dataclasses
import os
import tomllib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from numlp.activations import ACTIVATIONS
from numlp.arrays import as_rows
from numlp.checks import choice, missing, positive, share, unknown, whole_number
from numlp.datasets import Dataset, load_dataset
from numlp.datasets.labels import Task
from numlp.errors import FileFormatError, SettingError
from numlp.history import History
from numlp.initializers import INITIALIZERS
from numlp.losses import LOSSES
from numlp.network import DTYPES, MLP
from numlp.optimizers import OPTIMIZERS
from numlp.randomness import as_seed
from numlp.scaling import SCALINGS, standardize
from numlp.schedules import SCHEDULES
from numlp.training import Callback, train

_FOLDER = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class Recipe:
    """All that a training run depends on.

    Attributes
    ----------
    data : str
        The name of a data set, or the path of a file or folder; see `load_dataset`, also for `target`, `task`,
        `validation` and `test`.
    layers : tuple of int
        The widths of the hidden layers; inputs and outputs follow from the data.
    activation : str
    loss : str, optional
        Unless it is given, "softmax_cross_entropy" for classes and "squared_error" for real targets.
    initializer : str, optional
        Unless it is given, the one that suits each layer's activation.
    dtype : str
    input_scaling : "unit", "symmetric" or "standardize"
        See `numlp.scaling`. Real targets are always standardized.
    optimizer, schedule : str
    learning_rate : float
    batch_size, epochs, seed : int

    Examples
    --------
    >>> recipe = Recipe(layers=(128, 128), epochs=3)
    >>> recipe.edited(epochs=5).epochs
    5
    """

    data: str = "mnist"
    target: str | None = None
    task: Task | None = None
    validation: float | str = 0.05
    test: str | None = None
    layers: tuple[int, ...] = (512, 512)
    activation: str = "relu"
    loss: str | None = None
    initializer: str | None = None
    dtype: str = "float32"
    input_scaling: str = "standardize"
    optimizer: str = "sgd"
    schedule: str = "constant"
    learning_rate: float = 0.1
    batch_size: int = 32
    epochs: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list | tuple):
            raise SettingError(f"layers must be a list of widths, not {self.layers!r}")
        object.__setattr__(self, "layers", tuple(whole_number("layers", width) for width in self.layers))
        for name in ("batch_size", "epochs"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        object.__setattr__(self, "seed", as_seed(self.seed))
        object.__setattr__(self, "learning_rate", positive("learning_rate", self.learning_rate))
        for name, registry in _REGISTRIES.items():
            if getattr(self, name) is not None:
                choice(name, getattr(self, name), registry)
        if not isinstance(self.validation, str):
            object.__setattr__(self, "validation", share("validation", self.validation))
        for name in ("data", "target", "test"):
            value = getattr(self, name) or ""
            if not isinstance(value, str) or "\0" in value:
                raise SettingError(f"{name} must be a string without zero bytes, not {value!r}")
        if self.loss is not None and self.task not in (None, LOSSES[self.loss].task):
            raise SettingError(f"loss {self.loss!r} is for {LOSSES[self.loss].task}, not for task {self.task!r}")

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Make a recipe from settings by name; those that are absent have their defaults."""
        fields = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in fields:
                raise SettingError(unknown("setting", name, fields))
        return cls(**settings)

    def edited(self, **settings: Any) -> Self:
        """Return the recipe with other settings; None leaves a setting as it is."""
        return dataclasses.replace(self, **{name: value for name, value in settings.items() if value is not None})

    def as_dict(self) -> dict[str, Any]:
        """Return all settings that are not None, by name."""
        settings = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return settings | {"layers": list(self.layers)}

    def to_toml(self) -> str:
        """Return the recipe as TOML."""
        try:
            import tomli_w
        except ImportError as error:
            raise missing("tomli-w", "writing a recipe", "app") from error
        return tomli_w.dumps(self.as_dict())

    def load_dataset(self) -> Dataset:
        """Load the data that the recipe names."""
        task = self.task if self.loss is None else LOSSES[self.loss].task
        return load_dataset(self.data, target=self.target, task=task, validation=self.validation, test=self.test)

    def make_network(self, dataset: Dataset) -> MLP:
        """Make the untrained network for a data set, with scalings learned from its training rows."""
        classes = dataset.class_names
        loss = self.loss or ("softmax_cross_entropy" if classes is not None else "squared_error")
        x, y = dataset.train
        return MLP(
            [dataset.n_features, *self.layers, dataset.n_outputs],
            activation=self.activation,
            loss=loss,
            initializer=self.initializer,
            dtype=self.dtype,
            seed=self.seed,
            input_scaling=SCALINGS[self.input_scaling](as_rows(x)),
            target_scaling=standardize(as_rows(y, "y")) if LOSSES[loss].task == "regression" else None,
            input_shape=x.shape[1:],
            feature_names=dataset.feature_names,
            class_names=classes,
        )

    def train(
        self,
        network: MLP,
        dataset: Dataset,
        *,
        after_step: Sequence[Callback] = (),
        after_epoch: Sequence[Callback] = (),
    ) -> History:
        """Train a network as the recipe says."""
        return train(
            network,
            dataset.train,
            validation=dataset.validation,
            learning_rate=SCHEDULES[self.schedule](self.learning_rate),
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=self.seed,
            optimizer=OPTIMIZERS[self.optimizer](),
            after_step=after_step,
            after_epoch=after_epoch,
        )


_REGISTRIES: dict[str, Mapping[str, object]] = {
    "task": dict.fromkeys(typing.get_args(Task)),
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "initializer": INITIALIZERS,
    "dtype": DTYPES,
    "input_scaling": SCALINGS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


def recipe_names() -> list[str]:
    """Return the names of the recipes in the package, sorted.

    >>> recipe_names()
    ['default', 'reference', 'regression']
    """
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str | os.PathLike[str]) -> Recipe:
    """Load a recipe by its name, or from a TOML file.

    Raises
    ------
    SettingError
        If there is no recipe of that name, or a setting in it is unknown or out of range.
    FileFormatError
        If the file is no TOML.

    Examples
    --------
    >>> load_recipe("reference").layers
    (256, 256, 256)
    """
    name = os.fspath(name)
    path = _FOLDER / f"{name}.toml" if name in recipe_names() else Path(name)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingError(unknown("recipe", name, recipe_names()) + "; or name a TOML file") from error
    except OSError as error:
        raise FileFormatError(f"can't read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is no TOML: {error}") from error
    try:
        return Recipe.from_dict(settings)
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error
