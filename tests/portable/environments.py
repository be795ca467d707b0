"""Environments that must all end in the digests of digests.txt: kernels, threads, versions, processors.

``python -m portable.environments`` prints a table of them all, with what differs, and ends with 1 if anything does.
Those of this Python and NumPy need nothing; for the others it installs other versions into a cache, with pip, and on
Debian with apt. What can't be had is listed with the reason. ARM64 takes the longest: it is emulated.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portable import networks

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = networks.PROGRAM
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "numlp", "portable")
NEEDED = ("safetensors", "threadpoolctl")  # besides NumPy
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Names that OpenBLAS has had for kernels of x86-64; what a wheel or a processor doesn't know becomes another one.
KERNELS = (
    "Prescott",
    "Core2",
    "Nehalem",
    "Barcelona",
    "Sandybridge",
    "Bulldozer",
    "Haswell",
    "Zen",
    "SkylakeX",
    "Cooperlake",
    "SapphireRapids",
)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ONE_PROCESS = ("--skip", "processes")


class Missing(Exception):
    """Why an environment can't be had here."""


@dataclass(frozen=True)
class Environment:
    """How to start a Python, and what to set."""

    name: str
    command: Sequence[str] = (sys.executable,)
    variables: Mapping[str, str] = field(default_factory=dict)
    libraries: Sequence[Path] = ()
    options: Sequence[str] = ()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, [ROOT / "src", *self.libraries]))
        variables = {"OPENBLAS_NUM_THREADS": "1", **self.variables, "PYTHONPATH": path, "PYTHONUTF8": "1"}
        return subprocess.run(
            [*self.command, *arguments], env=os.environ | variables, text=True, capture_output=True, encoding="utf-8"
        )

    def digests(self, *names: str) -> tuple[str, list[str]]:
        """Return what the environment says it is, and the lines that the networks print in it."""
        done = self.run(str(PROGRAM), *self.options, *names)
        if done.returncode == -signal.SIGILL:
            raise Missing("this processor can't run it")
        if done.returncode:
            raise RuntimeError(f"{self.name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stderr.partition("# ")[2].splitlines()[0], done.stdout.splitlines()


def kernels(command: Sequence[str] = (sys.executable,), prefix: str = "") -> Iterator[Environment]:
    """Yield an environment for each kernel that a Python's OpenBLAS has and the processor can run."""
    seen = set()
    for name in KERNELS:
        each = Environment(f"{prefix}kernel {name}", command, {"OPENBLAS_CORETYPE": name})
        probe = "import numpy, threadpoolctl as t; print([i.get('architecture') for i in t.threadpool_info()])"
        done = each.run("-c", probe)
        if not done.returncode and done.stdout not in seen:
            seen.add(done.stdout)
            yield each


def without_simd(command: Sequence[str] = (sys.executable,), prefix: str = "") -> Iterator[Environment]:
    """Yield environments without NumPy's AVX-512, and with nothing but its baseline; names differ by version."""
    probe = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f;"
        "print(*[name for name in d if f.get(name)])"
    )
    features = Environment("", command).run("-c", probe).stdout.split()
    widest = [name for name in features if name.startswith(("AVX512", "X86_V4"))]
    for what, off in (("no AVX-512", widest), ("baseline SIMD", features)):
        if off:
            yield Environment(f"{prefix}{what}", command, {"NPY_DISABLE_CPU_FEATURES": " ".join(off)})


def other_c_library() -> Environment:
    """Return an environment whose exp, log, pow, sin and the like are others; see otherlibm.c."""
    source, library = PROGRAM.with_name("otherlibm.c"), CACHE / "otherlibm.so"
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise Missing("it needs Linux and a C compiler")
    library.parent.mkdir(parents=True, exist_ok=True)
    _do(compiler, "-shared", "-fPIC", "-fno-builtin", "-o", str(library), str(source), "-ldl", "-lm")
    *_, plain = (Environment(""), *without_simd())  # NumPy's wider functions would take the library's place
    return Environment("another C library", variables={**plain.variables, "LD_PRELOAD": str(library)})


def here() -> Iterator[Environment]:
    """Yield the environments of this Python and NumPy."""
    yield Environment("as it is", variables={"OPENBLAS_NUM_THREADS": ""})
    yield Environment("two threads", variables={"OPENBLAS_NUM_THREADS": "2"})
    yield from kernels()
    yield from without_simd()


def python(version: str) -> str:
    """Return the command of a Python version, as installed or as pyenv has it."""
    versions = sorted((Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob(f"{version}.*"))
    found = versions[-1] / "bin" / "python" if versions else shutil.which(f"python{version}")
    if found is None:
        raise Missing(f"there is no Python {version} here")
    return str(found)


def installed(version: str, numpy: str) -> Environment:
    """Return an environment with a version of Python and of NumPy, such as "numpy==2.0.*"."""
    folder = CACHE / f"{version}-{numpy.replace('*', 'x')}"
    command = folder / "bin" / "python"
    if not (folder / "ready").exists():
        _do(python(version), "-m", "venv", "--clear", str(folder))
        _do(str(command), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", numpy, *NEEDED)
        (folder / "ready").touch()
    return Environment(f"Python {version}, {numpy}", (str(command),))


def unpacked(suite: str | None, architecture: str, packages: Sequence[str]) -> Path:
    """Return a folder with Debian's packages and all that they need, of a suite (or this machine's) and processor."""
    root = CACHE / f"debian-{suite or 'own'}-{architecture}"
    if (root / "ready").exists():
        return root
    if shutil.which("apt-get") is None or not Path(KEYRING).exists():
        raise Missing("it needs Debian's apt")
    told = _do(
        "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Identifier: Packages", "Origin: Debian"
    )
    sources = [line.split() for line in told.splitlines()]
    if not sources:
        raise Missing("apt knows no repository of Debian's: run apt-get update")
    address, own = sources[0]
    state = root / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "etc"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    source = f"deb [arch={architecture} signed-by={KEYRING}] {address} {suite or own} main\n"
    (state / "etc" / "sources.list").write_text(source, encoding="utf-8")
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "Dir::State::lists": f"{state}/lists",
        "Dir::State::status": f"{state}/status",
        "Dir::Cache": f"{state}/cache",
        "Dir::Etc::sourcelist": f"{state}/etc/sources.list",
        "Dir::Etc::sourceparts": "-",
    }
    (state / "apt.conf").write_text(
        "".join(f'{name} "{value}";\n' for name, value in settings.items()), encoding="utf-8"
    )
    apt = {"APT_CONFIG": f"{state}/apt.conf"}
    _do("apt-get", "update", **apt)
    _do("apt-get", "install", "--download-only", "--yes", *packages, **apt)
    for package in (state / "cache" / "archives").glob("*.deb"):
        _do("dpkg-deb", "--extract", str(package), str(root))
    (root / "ready").touch()
    return root


def wheels(root: Path, version: str, processor: str) -> Path:
    """Return a folder with the wheels of NumPy and what else numlp needs for another Python and processor."""
    folder = root / "wheels"
    if not folder.exists():
        tags = [f"--platform=manylinux_2_{minor}_{processor}" for minor in range(17, 29)]
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *tags)
        _do(*pip, f"--python-version={version}", f"--dest={folder}.packed", "numpy", *NEEDED)
        for wheel in Path(f"{folder}.packed").glob("*.whl"):
            shutil.unpack_archive(wheel, f"{folder}.part", "zip")
        Path(f"{folder}.part").rename(folder)
    return folder


def debian_python(version: str) -> Environment:
    """Return an environment with a Python that only Debian's newest suite has, in a folder of its own."""
    root = unpacked("sid", "amd64", (f"python{version}-minimal", f"libpython{version}-stdlib", "libstdc++6"))
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = (f"{libraries}/ld-linux-x86-64.so.2", "--library-path", str(libraries))
    return Environment(
        f"Python {version}, numpy",
        (*loader, f"{root}/usr/bin/python{version}"),
        {"PYTHONHOME": f"{root}/usr"},
        (wheels(root, version, "x86_64"),),
        ONE_PROCESS,  # another one would not find this loader
    )


def newest(version: str) -> Environment:
    """Return an environment with a version of Python and the newest NumPy for it."""
    try:
        return installed(version, "numpy")
    except Missing:
        return debian_python(version)


def arm64(kernel: str | None = None) -> Environment:
    """Return an emulated ARM64, with Debian's Python."""
    emulator = shutil.which("qemu-aarch64-static")
    if emulator is None:
        raise Missing("it needs qemu-aarch64-static, from Debian's qemu-user-static")
    root = unpacked(None, "arm64", ("python3-minimal", "libpython3-stdlib", "libstdc++6"))
    command = next((root / "usr/bin").glob("python3.*"))
    version = command.name.removeprefix("python")
    return Environment(
        "ARM64" if kernel is None else f"ARM64, kernel {kernel}",
        (emulator, "-L", str(root), str(command)),
        {} if kernel is None else {"OPENBLAS_CORETYPE": kernel},
        (wheels(root, version, "aarch64"),),
        ONE_PROCESS,
    )


def _do(*command: str, **variables: str) -> str:
    try:
        done = subprocess.run(command, env=os.environ | variables, check=True, text=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        told = (error.stderr or error.stdout).strip().splitlines() or ["nothing"]
        raise Missing(f"{Path(command[0]).name} failed: {told[-1][:200]}") from error
    return done.stdout


def everything() -> Iterator[tuple[str, Callable[[], Environment]]]:
    """Yield the names of all environments, with functions that return them, or raise `Missing`."""
    for each in here():
        yield each.name, lambda each=each: each  # type: ignore[misc]
    yield "another C library", other_c_library
    for version in PYTHONS:
        yield f"Python {version}, numpy", lambda version=version: newest(version)  # type: ignore[misc]
    yield "Python 3.11, numpy==2.0.*", lambda: installed("3.11", "numpy==2.0.*")
    try:
        oldest = installed("3.11", "numpy==2.0.*").command
    except Missing:
        pass
    else:
        for each in [*kernels(oldest, "NumPy 2.0, "), *without_simd(oldest, "NumPy 2.0, ")]:
            yield each.name, lambda each=each: each  # type: ignore[misc]
    for kernel in (None, "ARMV8", "NEOVERSEN1"):
        yield f"ARM64, kernel {kernel or 'its own'}", lambda kernel=kernel: arm64(kernel)  # type: ignore[misc]


def main() -> int:
    known = networks.DIGESTS.read_text(encoding="utf-8").splitlines()
    alone = [line for line in known if "  processes/" not in line]
    print(f"{len(known)} digests. The digest of those of one process is {_digest(alone)} as stored.\n")
    print("| environment | what it says it is | digest | differ |\n|---|---|---|---|")
    failed = 0
    for name, make in everything():
        try:
            environment = make()
            what, found = environment.digests()
        except Missing as missing:
            print(f"| {name} | {missing} | – | – |", flush=True)
            continue
        differing = [line for line in found if line not in known]
        failed += bool(differing) or len(found) < len(alone)
        digest = _digest([line for line in found if "  processes/" not in line])
        print(f"| {name} | {what} | {digest} | {len(differing)} of {len(found)} |", flush=True)
        for line in differing:
            print(f"    {line}", file=sys.stderr)
    return 1 if failed else 0


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
