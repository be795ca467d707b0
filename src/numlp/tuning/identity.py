"""Identity: what all that join a study must agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numlp.errors import SettingError


@dataclass(frozen=True)
class Identity:
    """What all that join a study must agree on.

    Attributes
    ----------
    version : str
        Of numlp.
    data : dict
        The digests of the data, but for those of test rows.
    metric : str
        What counts on validation rows: "loss", "accuracy" or "r2".
    recipe : dict
        The settings that all trials begin with, without those of where the data lie.
    space : dict
        The values of each setting that the trials vary, as text.
    """

    version: str
    data: Mapping[str, str]
    metric: str
    recipe: Mapping[str, Any]
    space: Mapping[str, str]

    def check(self, stored: Mapping[str, Any], where: str) -> None:
        """Refuse to join a study of something else."""
        other = "name another --study or --output"
        if stored["version"] != self.version:
            raise SettingError(f"{where} is a study by numlp {stored['version']}, not {self.version}: {other}")
        if stored["data"] != dict(self.data):
            raise SettingError(f"{where} is a study of other data, or of another split of them: {other}")
        if stored["metric"] != self.metric:
            raise SettingError(
                f"{where} is a study of the {stored['metric']}, not the {self.metric}: leave --metric out, or {other}"
            )
        for name in sorted({*stored["recipe"], *self.recipe}):
            theirs, own = (recipe.get(name, "none") for recipe in (stored["recipe"], self.recipe))
            if theirs != own:
                raise SettingError(f"{where} is a study around {name} = {theirs}, not {own}: {other}")
        for name in sorted({*stored["space"], *self.space}):
            theirs, own = (space.get(name, "one value") for space in (stored["space"], self.space))
            if theirs != own:
                raise SettingError(f"{where} is a study over {name} = {theirs}, not {own}: {other}")
