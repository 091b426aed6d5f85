import hashlib
import json
import logging
import shutil

import pytest
import torch
from safetensors.torch import save

from limner.agents.checkpoint import SCHEMA, list_checkpoints, newest_checkpoint, read_manifest, read_tensors

TENSORS = {
    "agent.safetensors": {"policy.weight": torch.arange(6.0).view(2, 3)},
    "state.safetensors": {"critic.weight": torch.ones(100), "generator.act": torch.arange(9, dtype=torch.uint8)},
}
FILES = [*TENSORS, "manifest.json"]


def write(path):
    path.mkdir(parents=True)
    files = {name: save(tensors) for name, tensors in TENSORS.items()}
    sha256 = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = {"schema": SCHEMA, "agent": {}, "training": {}, "counters": {"updates": 3}, "sha256": sha256}
    files["manifest.json"] = json.dumps(manifest).encode()
    for name, data in files.items():
        (path / name).write_bytes(data)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    return write(tmp_path / "00000003")


def edit_manifest(checkpoint, **changes):
    path = checkpoint / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def read_all(path):
    manifest = read_manifest(path)
    return {name: read_tensors(path, manifest, name) for name in manifest["sha256"]}


def test_what_was_written_is_read(checkpoint, tmp_path):
    read = read_all(checkpoint)
    assert read.keys() == TENSORS.keys()
    for name, tensors in TENSORS.items():
        assert read[name].keys() == tensors.keys()
        assert all(torch.equal(read[name][key], tensor) for key, tensor in tensors.items())
    assert read_manifest(checkpoint)["counters"] == {"updates": 3}
    assert newest_checkpoint(tmp_path) == checkpoint


# --- Damage ------------------------------------------------------------------------------------------------------


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(bytes(range(256)) * 4)


def remove(path):
    path.unlink()


DAMAGE = [(name, damage) for name in FILES for damage in (truncate, flip, empty, garbage, remove)]
DAMAGE.remove(("manifest.json", flip))  # an edited manifest may still be one: see below


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
def test_damage_is_found_and_named(checkpoint, name, damage, tmp_path):
    damage(checkpoint / name)
    with pytest.raises(ValueError, match=name):
        read_all(checkpoint)
    with pytest.raises(ValueError, match=f"no usable checkpoint in {tmp_path}(.|\n)*{name}"):
        newest_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 3}, "has schema 3, this version of Limner reads up to 2: upgrade"),
        ({"schema": "1"}, "schema is '1'"),
        ({"schema": 0}, "schema is 0"),
        ({"schema": None}, "schema is None"),
        ({"agent": None}, "agent is missing"),
        ({"training": 7}, "training is missing"),
        ({"sha256": []}, "sha256 is missing"),
        ({"schema": 1}, "config is missing"),
        ({"schema": 1, "config": {}, "sha256": []}, "sha256 is missing"),
    ],
)
def test_an_edited_manifest_is_refused(checkpoint, changes, words):
    edit_manifest(checkpoint, **changes)
    with pytest.raises(ValueError, match=words):
        read_manifest(checkpoint)


def test_a_file_without_a_hash_is_refused(checkpoint):
    edit_manifest(checkpoint, sha256={})
    with pytest.raises(ValueError, match=r"agent\.safetensors is damaged: its SHA-256 is not the one"):
        read_tensors(checkpoint, read_manifest(checkpoint), "agent.safetensors")


@pytest.mark.parametrize("text", ["[]", "7", "null", "[" * 100_000, '{"schema": 1'])
def test_a_manifest_that_is_none_is_refused(checkpoint, text):
    (checkpoint / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifest(checkpoint)


@pytest.mark.parametrize("name", list(TENSORS))
def test_a_file_that_only_looks_right_is_refused(checkpoint, name):
    """The hash is right and the content is not."""
    data = b'\x08\x00\x00\x00\x00\x00\x00\x00{"a": 1}'
    (checkpoint / name).write_bytes(data)
    hashes = read_manifest(checkpoint)["sha256"]
    edit_manifest(checkpoint, sha256=hashes | {name: hashlib.sha256(data).hexdigest()})
    with pytest.raises(ValueError, match=name):
        read_all(checkpoint)


def test_an_agent_without_state_has_none_to_read(checkpoint):
    (checkpoint / "state.safetensors").unlink()
    hashes = read_manifest(checkpoint)["sha256"]
    edit_manifest(checkpoint, sha256={"agent.safetensors": hashes["agent.safetensors"]})
    assert list(read_all(checkpoint)) == ["agent.safetensors"]
    with pytest.raises(ValueError, match=r"no state\.safetensors: .*without the state to resume"):
        read_tensors(checkpoint, read_manifest(checkpoint), "state.safetensors")


# --- The newest --------------------------------------------------------------------------------------------------


def test_no_checkpoint_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert list_checkpoints(folder) == []
        with pytest.raises(ValueError, match=f"no usable checkpoint in {folder}"):
            newest_checkpoint(folder)
    with pytest.raises(ValueError, match="is not a checkpoint: it has no manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("damage", [truncate, remove])
def test_the_one_before_is_used_when_the_newest_is_damaged(tmp_path, caplog, damage):
    for number in (1, 2):
        write(tmp_path / f"{number:08d}")
    damage(tmp_path / "00000002" / "state.safetensors")
    with caplog.at_level(logging.WARNING, "limner"):
        assert newest_checkpoint(tmp_path) == tmp_path / "00000001"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "00000002" in record.message
    assert "state.safetensors" in record.message


def test_what_a_killed_process_leaves_is_ignored(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / ".writing-00000009")
    (tmp_path / "00000010").write_text("a file, no folder")
    (tmp_path / "notes").mkdir()
    assert newest_checkpoint(tmp_path) == checkpoint


def test_checkpoints_are_listed_from_the_oldest_damaged_ones_included(tmp_path):
    paths = [write(tmp_path / f"{number:08d}") for number in (20, 3, 100)]
    remove(paths[1] / "manifest.json")
    assert list_checkpoints(tmp_path) == [paths[1], paths[0], paths[2]]
