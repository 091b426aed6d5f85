"""Try a wheel where there is neither a compiler nor libmypaint, nor a network: in a bare root of Debian.

    sudo python release/try_wheel.py dist/limner-0.1.0-cp311-cp311-manylinux_2_35_x86_64.whl

An agent draws there, a picture is painted, both programs are replayed; and the tests of golden hashes, those of this
clone, run on what the wheel installed.

Notable choices:
- The root is made by debootstrap, which takes minutes, and kept; Limner is installed in it anew each time.
- What the wheel depends on is fetched outside by pip, as pip is configured here. Inside is no network.
- Processes run in namespaces of their own (unshare), so nothing is left mounted or running.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from limner.worlds.paint.brushes import brush_names

HERE = Path(__file__).parent.parent
PACKAGES = "python3,python3-venv"
FORBIDDEN = ("usr/bin/*gcc*", "usr/bin/*g++*", "usr/bin/cc", "usr/lib/*/lib*mypaint*", "usr/lib/*/libg*object*",
             "usr/lib/*/libjson-c*", "usr/lib/*/libgomp*", "usr/share/mypaint*")  # fmt: skip
"""Of these the root has none."""
INSTALL = """
python3 -m venv /try
/try/bin/pip install --quiet --no-index --find-links /wheels limner
du --summarize --block-size=MB /try
"""
DRAW = """
cd /drawn
/try/bin/limner sample -n 4 --seed 0 --out digits
/try/bin/limner replay digits/programs.jsonl --index 0 --size 512 --out digit.png
/try/bin/limner paint /picture.png --search 2 --strokes 40 --size 256 --out painted
/try/bin/limner replay painted/program.json --size 256 --out again.png
cmp painted/painted.png again.png
/try/bin/python -c 'from limner.worlds.paint.brushes import *; print(*brush_names(), sep="\\n")' > brushes
"""
GOLDEN = """
/try/bin/pip install --quiet --no-index --find-links /wheels pytest hypothesis
cd /clone
OMP_NUM_THREADS=1 /try/bin/python -m pytest -p no:cacheprovider -W ignore::pytest.PytestConfigWarning \\
  tests/agents/test_golden_drawings.py tests/worlds/paint/test_renderer.py -k "golden_drawings or parity"
"""


@dataclass(frozen=True)
class TryWheel:
    """What to try, and where."""

    wheel: tyro.conf.Positional[Path]
    """The wheel."""
    picture: Path = HERE / "docs/flower.png"
    """What is painted."""
    root: Path = Path("build/bare-root")
    """Folder of the bare root, made if it is not there."""
    wheels: Path = Path("build/wheels")
    """Folder for what the wheel depends on."""
    suite: str = "bookworm"
    """Which Debian: its Python must be the one that the wheel is for."""
    mirror: str = "http://deb.debian.org/debian"
    """Where it comes from."""
    torch: str = "torch"
    """Which PyTorch is installed."""


def main(tried: TryWheel) -> None:
    """Make the root, install, draw, compare."""
    for needed in ("debootstrap", "unshare"):
        if shutil.which(needed) is None:
            raise SystemExit(f"a bare root needs {needed}: apt-get install debootstrap util-linux")
    if os.geteuid() != 0:
        raise SystemExit("a bare root can be made and entered by root alone: use sudo")
    fetch(tried)
    make_root(tried)
    found = [path for pattern in FORBIDDEN for path in tried.root.glob(pattern)]
    assert not found, f"the root is not bare: {found}"
    clear(tried.root)
    for path in [tried.wheel, *tried.wheels.glob("*.whl")]:
        shutil.copy(path, tried.root / "wheels")
    shutil.copy(tried.picture, tried.root / "picture.png")
    shutil.copytree(HERE / "tests", tried.root / "clone/tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "pyproject.toml", tried.root / "clone")
    taken = {}
    for name, script in {"installed": INSTALL, "drew, painted and replayed": DRAW, "compared": GOLDEN}.items():
        began, spent = time.perf_counter(), processor_seconds()
        enter(tried.root, script)
        taken[name] = time.perf_counter() - began, processor_seconds() - spent
    assert (tried.root / "drawn/brushes").read_text().split("\n")[:-1] == brush_names()
    for name, (wall, processor) in taken.items():
        print(f"{name} in {wall:.0f} s, of which {processor:.0f} s of a processor")


def processor_seconds() -> float:
    """Spent so far by the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fetch(tried: TryWheel) -> None:
    """Have pip fetch the wheels that the wheel depends on, and those of the tests."""
    shutil.rmtree(tried.wheels, ignore_errors=True)
    asked = [str(tried.wheel), tried.torch, "pytest", "hypothesis"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(tried.wheels)]
    subprocess.run([*pip, *asked], check=True)


def make_root(tried: TryWheel) -> None:
    """Make the root, unless a complete one is there."""
    complete = tried.root / "complete"
    if complete.exists():
        return
    shutil.rmtree(tried.root, ignore_errors=True)
    tried.root.parent.mkdir(parents=True, exist_ok=True)
    made = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", tried.suite, str(tried.root), tried.mirror]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    complete.touch()


def clear(root: Path) -> None:
    """Remove what was tried before, and make the folders anew."""
    for name in ("try", "wheels", "drawn", "clone"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()


def enter(root: Path, script: str) -> None:
    """Run a script of the shell in the root, without a network; its failure ends this program."""
    apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", f"--mount-proc={root.resolve()}/proc"]
    environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
    done = subprocess.run([*apart, "chroot", str(root), *environment, "sh", "-euxc", script], check=False)
    if done.returncode:
        raise SystemExit(f"the last command above failed in the bare root {root}")


if __name__ == "__main__":
    main(tyro.cli(TryWheel, description=__doc__))
