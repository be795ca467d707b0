"""Coverage-guided fuzzing of every reader, by atheris: what reaches code that nothing reached is mutated further.

    python -m fuzz.coverage --seconds 60

The seconds are each reader's. What is learned stays in .fuzz/ at the repository's root, for the next time; what is
found goes to findings/ here, is told, and makes the exit code 1.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from random import Random
from subprocess import run

HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / ".fuzz"
TIMEOUT, MEBIBYTES = 5, 1024  # instrumented code is slow, and atheris itself and its coverage take memory
INSTRUMENTED = [
    "numlp",
    "zipfile",
    "gzip",
    "tomllib",
    "json",
    "csv",
    "PIL.PngImagePlugin",
    "numpy.lib",
    "onnx.numpy_helper",
]


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one reader; does not return."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz import guard
        from fuzz.readers import READERS
        from numlp.errors import NumlpError
    reader = READERS[name]
    warnings.simplefilter("ignore")
    for folder in (CORPUS / name, HERE / "findings" / name):
        folder.mkdir(parents=True, exist_ok=True)
    seeds = reader.seeds()
    for number, seed in enumerate(seeds):
        (CORPUS / name / f"seed-{number}").write_bytes(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for other, content in reader.beside.items():
            (folder / other).write_bytes(content)
        path = folder / reader.file

        def read(content: bytes) -> None:
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            try:
                with guard.watched(folder):
                    reader.read(path)
            except NumlpError:
                pass

        def mutate(content: bytes, most: int, seed: int) -> bytes:
            rng = Random(seed)
            change = lambda part: atheris.Mutate(part, max(len(part) + 64, 256))  # noqa: E731
            return (reader.repack(rng, content, change) if rng.random() < 0.5 else atheris.Mutate(content, most))[
                :most
            ]

        for content in (*seeds, b"", b"garbage"):  # what is imported when needed is imported before the watch begins
            read(content)
        guard.install()
        largest = 4 * max(len(seed) for seed in seeds)
        options = [f"-max_total_time={seconds}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEBIBYTES}"]
        options += [f"-max_len={largest}", f"-artifact_prefix={HERE / 'findings' / name}/", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, str(CORPUS / name)], read, custom_mutator=mutate)
        atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--readers", default="")
    options = parser.parse_args()
    names = options.readers.split(",") if options.readers else _names()
    if len(names) == 1:
        fuzz(names[0], options.seconds)
    failed = []
    for name in names:
        command = [sys.executable, "-m", "fuzz.coverage", "--readers", name, "--seconds", str(options.seconds)]
        if run(command).returncode:
            failed.append(name)
    print(f"fuzzed {len(names)} readers; findings: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _names() -> list[str]:
    from fuzz.readers import READERS

    return list(READERS)


if __name__ == "__main__":
    sys.exit(main())
