"""`numlp verify`: whether a run's folder is as it was, and whether its recipe gives its weights."""

import re
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from numlp.cli.arguments import TEACHER
from numlp.cli.options import data as data_path
from numlp.cli.output import Commentary, Json, console, print_json
from numlp.cli.verdict import CODES, Verdict, print_verdict, verdict_as_json
from numlp.datasets import Dataset
from numlp.errors import FileFormatError, NumlpError, SettingError
from numlp.network.ensemble import Ensemble
from numlp.network.mlp import MLP
from numlp.runs import layout
from numlp.runs.agreement import Retraining, UnverifiableError
from numlp.runs.circumstances import other_environment, other_source
from numlp.runs.kept import kept_checkpoints
from numlp.runs.location import located
from numlp.runs.provenance import LaterVersionError, Predicate, Statement, read_provenance
from numlp.runs.recipe import Recipe
from numlp.runs.recipes import load_data, load_recipe
from numlp.runs.remaking import check_results
from numlp.runs.retraining import retrain
from numlp.runs.subjects import digest_file
from numlp.runs.teachers import teacher_of, with_teacher
from numlp.runs.unfinished import how_it_stands
from numlp.runs.verification import Finding, check_data, check_folder
from numlp.settings import limits
from numlp.training.threads import limited

EXAMPLES = """[bold]Examples[/bold]

  numlp verify runs/a-run

  numlp verify runs/a-run --data my.csv --retrain

  numlp verify runs/a-run --retrain --epochs 7-9

  numlp verify runs/a-pupil --teacher archive/committee

  numlp verify runs/a-run --digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    data: Annotated[
        str | None,
        typer.Option(
            help="The data, where they lie now; by default the recipe's. Its other files may lie beside them.",
            show_default=False,
        ),
    ] = None,
    teacher: TEACHER = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train again, and compare every epoch with the recorded one.")
    ] = False,
    epochs: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Train only these epochs again, such as 7-9, from the checkpoint that the run kept before them.",
            show_default=False,
        ),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256",
            help="The SHA-256 that the run's model.safetensors must have, such as a published one.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify a run: whether its files and data are as they were and, with --retrain, whether its recipe gives its
    weights.

    The exit code is 0 if it is verified, 1 if something differs, 3 if it can't be verified.
    """
    if epochs is not None and not retrain:
        raise SettingError("--epochs says which epochs to train again: add --retrain")
    if not run.is_dir():
        raise FileFormatError(f"there is no folder {run}")
    screen = console(Commentary, stderr=json)
    verdict = Verdict()
    expected = None if digest is None else read_sha256(digest)
    statement = _read(run, verdict)
    if statement is not None:
        _check_model(run, expected, verdict)
        _check(run, statement, Asked(data, teacher, retrain, epochs), verdict, screen)
    print_verdict(verdict, screen)
    if json:
        print_json(verdict_as_json(run, statement, verdict))
    if code := CODES[verdict.outcome]:
        raise typer.Exit(code)


class Asked(NamedTuple):
    """The options of the command: where data and teacher lie now, whether to train again, and which epochs."""

    data: str | None
    teacher: Path | None
    retrain: bool
    epochs: str | None


class Read(NamedTuple):
    """A recipe, and what the files that it names hold."""

    recipe: Recipe
    dataset: Dataset
    teacher: MLP | Ensemble | None


def read_epochs(text: str, last: int) -> tuple[int, int]:
    """Return the first and the last of the epochs that a text names, of as many as there are.

    >>> read_epochs("7-9", 10), read_epochs("7", 10)
    ((7, 9), (7, 7))
    """
    first, dash, end = text.partition("-")
    parts = [first, end] if dash else [first, first]
    if not all(part.strip().isdecimal() and len(part) < 12 for part in parts):
        raise SettingError(f"--epochs: write the first and the last epoch, such as 7-9, not {text!r}")
    low, high = (int(part) for part in parts)
    if not 1 <= low <= high <= last:
        raise SettingError(f"--epochs must be from 1 to the run's {last}, the first before the last, not {text!r}")
    return low, high


def read_sha256(text: str) -> str:
    """Return a SHA-256 in lower case."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise SettingError(f"--digest must be a SHA-256, 64 digits from 0 to 9 and a to f, not {text!r:.80}")
    return text.lower()


def _read(run: Path, verdict: Verdict) -> Statement | None:
    """Return the record, or None after noting in the verdict why there is none."""
    if not (run / layout.PROVENANCE).is_file():
        none = None if (run / layout.RECIPE).is_file() else f"isn't a run's folder: it has no file {layout.RECIPE}"
        stands = how_it_stands(run) or none
        older = f"has no {layout.PROVENANCE}: an older numlp wrote it, or the file was removed"
        verdict.impossible = f"{run} {stands or older}"
        return None
    try:
        return read_provenance(run)
    except LaterVersionError as error:
        verdict.impossible = str(error)
    except FileFormatError as error:
        verdict.findings.append(Finding(layout.PROVENANCE, str(error)))
    return None


def _check_model(run: Path, expected: str | None, verdict: Verdict) -> None:
    """Take the digest of the model file, and compare it with the one that the user expects."""
    if (run / layout.MODEL).is_file():
        verdict.model = digest_file(run, layout.MODEL)
    if verdict.model and expected not in (None, verdict.model):
        verdict.findings.append(Finding(layout.MODEL, f"its SHA-256 is {verdict.model}, not {expected}"))


def _check(run: Path, statement: Statement, asked: Asked, verdict: Verdict, screen: Console) -> None:
    """Compare files, data and results with the record, and train again if the user asked for it."""
    record = statement.predicate
    trained = max(len(network.links) - 1 for network in record.networks)
    epochs = None if asked.epochs is None else read_epochs(asked.epochs, trained)
    verdict.findings += check_folder(run, statement)
    verdict.checked.append(f"{len(statement.subjects)} files")
    several = f"{len(record.networks)} networks, " if len(record.networks) > 1 else ""
    verdict.checked.append(f"the chain of {several}{trained} epoch{'s' * (trained != 1)}")
    read = _data(run, record, asked, verdict)
    if read is None:
        verdict.impossible = verdict.notes[-1] if asked.retrain else ""
        return
    other = check_data(read.dataset, record, read.teacher)
    verdict.findings += other
    verdict.checked.append("the data")
    found = _retrain(run, read, record, epochs, verdict, screen) if asked.retrain else None
    if not other:
        whole = found is not None and found.exact and len(found.trained) == len(record.networks)
        results = check_results(run, read.recipe, read.dataset, record, found.trained if found and whole else ())
        if results is not None:
            verdict.findings += results
            verdict.checked.append("the model and the scores that follow from them")


def _data(run: Path, record: Predicate, asked: Asked, verdict: Verdict) -> Read | None:
    """Return the recorded recipe with the paths of its files, and what they hold; None after noting why not."""
    try:
        recipe = Recipe.from_dict(record.recipe)
    except NumlpError as error:
        verdict.notes.append(f"the recorded recipe isn't one of this numlp, so the data weren't checked: {error}")
        return None
    try:
        settings = load_recipe(run).as_dict()
    except NumlpError:
        settings = {}
    data = None if asked.data is None else data_path(asked.data)
    recipe = with_teacher(located(recipe, settings, data), asked.teacher)
    try:
        dataset = load_data(recipe)
    except (NumlpError, OSError) as error:
        if data is not None and not verdict.findings:
            raise
        remedy = "; name them with --data" if data is None else ""
        verdict.notes.append(f"the data weren't checked, since they can't be read: {error}{remedy}")
        return None
    try:
        return Read(recipe, dataset, teacher_of(recipe))
    except SettingError as error:
        if asked.teacher is not None and not verdict.findings:
            raise
        remedy = "; if it was moved, name it with --teacher" if asked.teacher is None else ""
        verdict.notes.append(f"the data and the teacher weren't checked: {error}{remedy}")
        return None


def _retrain(
    run: Path, read: Read, record: Predicate, epochs: tuple[int, int] | None, verdict: Verdict, screen: Console
) -> Retraining | None:
    """Train again with the recorded number of threads, and note what was found; None after noting why it can't be."""
    threads = record.environment.get("threads", "")
    several = len(record.networks) > 1
    with limited(int(threads) if threads.isdecimal() and 0 < int(threads) <= limits.THREADS else None):
        elsewhere = [] if record.arithmetic == "portable" else other_environment(record)
        reasons = [str(finding) for finding in verdict.findings if finding.what in ("data", layout.RECIPE)]
        reasons += [*other_source(record), *elsewhere]
        screen.print("training again")
        try:
            found = retrain(
                read.recipe,
                read.dataset,
                record,
                exact=not elsewhere,
                epochs=epochs,
                kept=lambda number, epoch: kept_checkpoints(run, number).get(epoch),
                told=lambda number, epoch: screen.print(
                    f"  {f'network {number}, ' if several else ''}epoch {epoch}: the same"
                ),
            )
        except UnverifiableError as error:
            verdict.impossible = str(error)
            return None
        except NumlpError as error:
            if not verdict.findings:
                raise
            verdict.notes.append(f"it can't be trained again: {error}")
            return None
    _note(found, reasons, elsewhere, verdict)
    return found


def _note(found: Retraining, reasons: list[str], elsewhere: list[str], verdict: Verdict) -> None:
    """Note how the training compares, the likely reasons for a difference, and what makes another environment."""
    verdict.retraining = found
    verdict.notes += found.notes
    if found.notes and not found.difference:
        verdict.impossible = found.notes[0]
    if found.difference is not None:
        verdict.notes += [f"most likely because {reason}" for reason in reasons] or [
            "data, numlp's source and environment are those of the run, so its recipe or its chain was changed"
        ]
    elif not found.exact:
        verdict.notes.append(
            "figures were compared by tolerance, not bits, since ordinary arithmetic depends on what differs here: "
            + "; ".join(elsewhere)
        )


COMMAND = verify
