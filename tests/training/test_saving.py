import errno
import hashlib
import json
import logging
import os
import resource
import shutil
from dataclasses import replace

import pytest
import torch

from limner.agents.checkpoint import newest_checkpoint, read_manifest, restore_checkpoint, save_checkpoint
from limner.training.config import LearningConfig
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial

TINY = PRESETS["tiny"]
VARIANTS = {
    "tiny": TINY,
    "lstm": replace(
        TINY,
        policy=replace(TINY.policy, lstm=True),
        learning=LearningConfig(clip=None, minibatches=2, entropy_floor=100.0, anchor_cost=0.1, target_kl=1e-6),
    ),
    "logistic": replace(TINY, threads=2, critic=replace(TINY.critic, loss="logistic", steps=3, replay=30)),
}
FILES = ["agent.safetensors", "manifest.json", "state.safetensors"]


def advance(training, until, total=20):
    while training.updates < until:
        training.update(training.updates / total)


@pytest.fixture(scope="module")
def trained(source):
    training = Adversarial(TINY, source)
    advance(training, 3)
    return training


@pytest.fixture
def checkpoint(trained, tmp_path):
    return save_checkpoint(tmp_path, trained, {"minutes": 0.5})


def differences(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit_manifest(checkpoint, **changes):
    path = checkpoint / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# --- Resuming ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_twenty_updates_are_ten_and_ten_resumed_bit_for_bit(variant, source, everything, tmp_path):
    config = VARIANTS[variant]
    whole = Adversarial(config, source)
    advance(whole, 20)
    first = Adversarial(config, source)
    advance(first, 10)
    path = save_checkpoint(tmp_path, first, {"minutes": 0.25})
    second = Adversarial(config, source)
    counters = restore_checkpoint(path, second)
    assert counters["minutes"] == 0.25
    assert counters["frames"] == second.frames == 10 * config.steps * config.batch
    advance(second, 20)
    assert differences(everything(whole), everything(second)) == []


def test_saving_and_then_going_on_changes_nothing(source, everything, tmp_path):
    states = []
    for save in (True, False):
        training = Adversarial(TINY, source)
        advance(training, 2)
        if save:
            save_checkpoint(tmp_path, training, {})
        advance(training, 4)
        states.append(everything(training))
    assert differences(*states) == []


def test_a_checkpoint_is_three_files_and_no_pickle(checkpoint, trained, tmp_path):
    assert listing(tmp_path) == ["00000003", *(f"00000003/{name}" for name in FILES)]
    manifest = read_manifest(checkpoint)
    assert manifest["schema"] == 1
    assert manifest["config"] == json.loads(json.dumps(TINY.to_dict()))
    for name, digest in manifest["sha256"].items():
        data = (checkpoint / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        assert data[8:9] == b"{", "safetensors files start with a length and a JSON header"
    assert sorted(manifest["sha256"]) == [name for name in FILES if name != "manifest.json"]
    assert (checkpoint / "agent.safetensors").stat().st_mode & 0o777 == 0o644
    assert checkpoint.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("keep", [1, 3])
def test_the_last_few_are_kept(keep, source, tmp_path):
    training = Adversarial(replace(TINY, keep=keep), source)
    for updates in range(1, 6):
        advance(training, updates)
        save_checkpoint(tmp_path, training, {})
        kept = [f"{number:08d}" for number in range(max(1, updates - keep + 1), updates + 1)]
        assert sorted(path.name for path in tmp_path.iterdir()) == kept
        assert newest_checkpoint(tmp_path) == tmp_path / kept[-1]


def test_saving_again_replaces(checkpoint, trained, tmp_path):
    (checkpoint / "agent.safetensors").write_bytes(b"damaged")
    save_checkpoint(tmp_path, trained, {"minutes": 7.0})
    assert read_manifest(newest_checkpoint(tmp_path))["counters"]["minutes"] == 7.0
    assert listing(tmp_path) == ["00000003", *(f"00000003/{name}" for name in FILES)]


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
def test_damage_is_found_and_named(checkpoint, trained, everything, name, damage, tmp_path):
    damage(checkpoint / name)
    before = everything(trained)
    with pytest.raises(ValueError, match=name):
        restore_checkpoint(checkpoint, trained)
    assert differences(before, everything(trained)) == [], "damage was noticed too late"
    with pytest.raises(ValueError, match=f"no usable checkpoint in {tmp_path}(.|\n)*{name}"):
        newest_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, "has schema 2, this version of Limner reads up to 1: upgrade"),
        ({"schema": "1"}, "schema is '1'"),
        ({"schema": 0}, "schema is 0"),
        ({"schema": None}, "schema is None"),
        ({"config": None}, "config or sha256 is missing"),
        ({"sha256": []}, "config or sha256 is missing"),
        ({"sha256": {}}, "agent.safetensors"),
        ({"counters": None}, "counters"),
        ({"counters": {}}, "counters"),
        ({"counters": {"updates": "many"}}, "counters"),
    ],
)
def test_an_edited_manifest_is_refused(checkpoint, trained, changes, words):
    edit_manifest(checkpoint, **changes)
    with pytest.raises(ValueError, match=words):
        restore_checkpoint(checkpoint, trained)


@pytest.mark.parametrize("text", ["[]", "7", "null", "[" * 100_000, '{"schema": 1'])
def test_a_manifest_that_is_none_is_refused(checkpoint, text):
    (checkpoint / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifest(checkpoint)


@pytest.mark.parametrize("name", ["agent.safetensors", "state.safetensors"])
def test_a_file_that_only_looks_right_is_refused(checkpoint, trained, name):
    """The hash is right and the content is not."""
    data = b'\x08\x00\x00\x00\x00\x00\x00\x00{"a": 1}'
    (checkpoint / name).write_bytes(data)
    hashes = read_manifest(checkpoint)["sha256"]
    edit_manifest(checkpoint, sha256=hashes | {name: hashlib.sha256(data).hexdigest()})
    with pytest.raises(ValueError, match=name):
        restore_checkpoint(checkpoint, trained)


def test_another_network_does_not_fit(checkpoint, source):
    wider = Adversarial(replace(TINY, policy=replace(TINY.policy, hidden=48)), source)
    with pytest.raises(ValueError, match="does not fit"):
        restore_checkpoint(checkpoint, wider)


def test_an_agent_without_state_can_not_be_resumed(checkpoint, trained):
    (checkpoint / "state.safetensors").unlink()
    hashes = read_manifest(checkpoint)["sha256"]
    edit_manifest(checkpoint, sha256={"agent.safetensors": hashes["agent.safetensors"]})
    with pytest.raises(ValueError, match=r"no state\.safetensors: .*without the state to resume"):
        restore_checkpoint(checkpoint, trained)


def test_no_checkpoint_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=f"no usable checkpoint in {folder}"):
            newest_checkpoint(folder)
    with pytest.raises(ValueError, match="is not a checkpoint: it has no manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("damage", [truncate, remove])
def test_the_one_before_is_used_when_the_newest_is_damaged(source, tmp_path, caplog, damage):
    training = Adversarial(TINY, source)
    for updates in (1, 2):
        advance(training, updates)
        save_checkpoint(tmp_path, training, {})
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


# --- A full disk -------------------------------------------------------------------------------------------------


@pytest.fixture
def full_from(monkeypatch):
    """A function that makes the n-th sync to disk, and all after it, fail as on a full disk."""

    def fill(number):
        calls = []
        original = os.fsync

        def fsync(handle):
            calls.append(handle)
            if len(calls) >= number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            original(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    return fill


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("again", [True, False], ids=["same-number", "next-number"])
def test_a_full_disk_leaves_what_was_there(source, tmp_path, full_from, number, again):
    training = Adversarial(replace(TINY, keep=1), source)
    advance(training, 1)
    save_checkpoint(tmp_path, training, {})
    before = contents(tmp_path)
    advance(training, 1 if again else 2)
    full_from(number)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, training, {"minutes": 1.0})
    assert contents(tmp_path) == before
    assert listing(tmp_path) == ["00000001", *(f"00000001/{name}" for name in FILES)]


def test_a_write_that_the_system_cuts_short_leaves_what_was_there(checkpoint, trained, tmp_path):
    """No simulation: the system refuses to let a file grow to the size of the state."""
    before = contents(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((checkpoint / "state.safetensors").stat().st_size - 1, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_checkpoint(tmp_path, trained, {"minutes": 1.0})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == before
    assert listing(tmp_path) == ["00000003", *(f"00000003/{name}" for name in FILES)]
