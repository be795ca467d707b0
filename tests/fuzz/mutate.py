"""Mutated files: no reader may crash on one, take long or much memory, or do anything but read.

    python -m fuzz.mutate --files 100000

It prints a row for each reader, keeps what it finds beside itself in findings/, and exits with 1 if there is any.
Memory is limited, native libraries' too: whoever asks for more than 256 MiB is refused it by the system.
"""

import argparse
import faulthandler
import hashlib
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from random import Random

from fuzz import guard
from fuzz.mutations import mutated
from fuzz.readers import READERS, Reader
from numlp.errors import NumlpError

FINDINGS = Path(__file__).with_name("findings")
SECONDS, BYTES = 2.0, 256 << 20


class Trial:
    """Reads file after file in a folder of its own, under watch.

    Attributes
    ----------
    outcomes : Counter
        How many were accepted, and how many refused.
    seconds, bytes : number
        The most that a file took: of the processor, since others may be at work on the machine, and of memory.
    """

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.reader, self.folder, self.memory = reader, folder, guard.Memory()
        self.outcomes: Counter[str] = Counter()
        self.seconds, self.bytes = 0.0, 0
        for name, content in reader.beside.items():
            (folder / name).write_bytes(content)

    def read(self, content: bytes) -> str | None:
        """Read one file, and return what is wrong with how that went."""
        path = self.folder / self.reader.file
        path.unlink(missing_ok=True)  # to overwrite a file waits for the disk
        path.write_bytes(content)
        before, started = self.memory.begin(), time.process_time()
        try:
            with guard.watched(self.folder):
                self.reader.read(path)
            outcome = "accepted"
        except NumlpError as error:
            outcome = "refused" if str(error) else "refused without a word"
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error!s:.300}"
        seconds, used = time.process_time() - started, self.memory.since(before)
        self.outcomes[outcome] += 1
        self.seconds, self.bytes = max(self.seconds, seconds), max(self.bytes, used)
        if outcome not in ("accepted", "refused"):
            return outcome
        return f"took {seconds:.1f} s" if seconds > SECONDS else f"took {used >> 20} MiB" if used > BYTES else None


def attack(name: str, files: int, rng: Random) -> Trial:
    """Let a reader read so many mutated files; what goes wrong is printed and kept."""
    reader = READERS[name]
    seeds = reader.seeds()
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(reader, Path(folder))
        for number in range(files):
            seed = rng.choice(seeds)
            mutate = lambda content: mutated(rng, content, seeds)  # noqa: E731
            content = reader.repack(rng, seed, mutate) if rng.random() < 0.5 else mutate(seed)
            faulthandler.dump_traceback_later(60, exit=True)
            wrong = trial.read(content)
            faulthandler.cancel_dump_traceback_later()
            if wrong is not None and wrong not in found:
                found.add(wrong)
                path = FINDINGS / name / hashlib.sha256(content).hexdigest()[:16]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                print(f"{name} {number}: {wrong}: {path}", flush=True)
    return trial


def main() -> int:
    import resource  # which Windows has not

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, help="of all readers together")
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = options.readers.split(",")
    warnings.simplefilter("ignore")
    for name in names:  # what readers import when they need it is imported before the watch begins
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(READERS[name], Path(folder))
            for content in (*READERS[name].seeds(), b"", b"garbage"):
                wrong = trial.read(content)
                assert wrong is None or wrong.startswith("took"), f"{name}: {wrong}"
    guard.install()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, resource.RLIM_INFINITY))
    print(f"{'reader':<12}{'files':>8}{'accepted':>10}{'refused':>9}{'wrong':>7}{'most s':>8}{'most MiB':>10}")
    wrong = total = 0
    for number, name in enumerate(names):
        files = options.files * (number + 1) // len(names) - options.files * number // len(names)
        trial = attack(name, files, Random(f"{options.seed} {name}"))
        accepted, refused = trial.outcomes["accepted"], trial.outcomes["refused"]
        odd = files - accepted - refused + (trial.seconds > SECONDS) + (trial.bytes > BYTES)
        row = (
            f"{name:<12}{files:>8}{accepted:>10}{refused:>9}{odd:>7}{trial.seconds:>8.2f}{trial.bytes / 2**20:>10.1f}"
        )
        print(row, flush=True)
        wrong, total = wrong + odd, total + files
    print(f"{total:,} files, {wrong} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
