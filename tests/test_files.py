"""Home folders, files that cannot be written, and folders that a process holds."""

import errno
import fcntl
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.files import append_atomic, create_private, expand_home, hold, is_held, write_atomic


def test_a_home_folder_is_put_in_place_of_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/there")
    assert [expand_home(path) for path in ("~/a", "b/~", "/c")] == [Path("/there/a"), Path("b/~"), Path("/c")]


def test_a_user_without_a_home_folder_is_told(homeless: None) -> None:
    assert expand_home("/c") == Path("/c")
    for path in ("~", "~/a", "~nobody-of-that-name/a"):
        with pytest.raises(ValueError, match=f"{path}: no home folder is known for this user; set HOME, or go away"):
            expand_home(path, "go away")


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep/run"
    with hold(folder):
        assert is_held(folder)
        with pytest.raises(ValueError, match=r"another process is at work in .*run: wait"), hold(folder):
            pass
        assert is_held(folder), "the failed attempt did not free it"
    assert not (tmp_path / "deep").exists(), "it was empty"
    with hold(folder):
        (folder / "x").touch()
    assert not is_held(folder)
    with hold(folder):
        pass
    assert [path.name for path in folder.iterdir()] == ["x"]


@pytest.mark.parametrize("write", [write_atomic, append_atomic])
@pytest.mark.parametrize("before", [None, b"before"])
def test_what_cannot_be_written_leaves_all_as_it_was(
    write: Callable[[Path, bytes], None], before: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "new/deep/file" if before is None else tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            write(path, bytes(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.filename == str(path)
    assert [path.read_bytes() for path in tmp_path.rglob("*")] == ([] if before is None else [before])
    write(path, b"after")
    assert path.read_bytes() in (b"after", (before or b"") + b"after")


def test_a_private_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new/file"
    create_private(path, "first")
    with pytest.raises(FileExistsError) as error:
        create_private(path, "second")
    assert error.value.filename == str(path)
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("first", 0o600)


def test_other_folders_are_free(tmp_path: Path) -> None:
    with hold(tmp_path / "one"), hold(tmp_path / "one/inner"), hold(tmp_path / "two"):
        assert not is_held(tmp_path)


def test_looking_does_not_hold(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with hold(tmp_path):
        pass


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from limner.files import hold\n"
        "with hold(Path('.')): print('held', flush=True), input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held(tmp_path)
        process.kill()
    assert not is_held(tmp_path)


def test_without_locks_in_the_file_system_nothing_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(handle: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with hold(tmp_path), hold(tmp_path):
        assert not is_held(tmp_path)
