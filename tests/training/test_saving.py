import errno
import hashlib
import json
import math
import os
import resource
from dataclasses import replace

import pytest
import torch

from limner.agents.checkpoint import newest_checkpoint, read_manifest
from limner.training import NonFiniteError
from limner.training.config import PolicyGradientConfig
from limner.training.presets import PRESETS
from limner.training.saving import restore_checkpoint, save_checkpoint
from limner.training.spiral.trainer import SpiralTrainer

TINY = PRESETS["tiny"].config
VARIANTS = {
    "tiny": TINY,
    "lstm": replace(
        TINY,
        agent=replace(TINY.agent, policy=replace(TINY.agent.policy, lstm=True)),
        learning=PolicyGradientConfig(
            clip=None, minibatches=2, entropy_floor=100.0, kl_average_cost=0.1, target_kl=1e-6
        ),
    ),
    "relativistic": replace(
        TINY,
        run=replace(TINY.run, threads=2),
        critic=replace(TINY.critic, loss="relativistic", steps_per_update=3, replay=30),
    ),
    "candidates": replace(TINY, learning=replace(TINY.learning, candidates=3)),
    "prior": replace(TINY, run=replace(TINY.run, start="another"), learning=replace(TINY.learning, kl_prior_cost=0.02)),
}
FILES = ["agent.safetensors", "manifest.json", "state.safetensors"]


def advance(trainer, until, total=20):
    while trainer.updates < until:
        trainer.update(trainer.updates / total)


@pytest.fixture(scope="module")
def trained(source):
    trainer = SpiralTrainer(TINY, source)
    advance(trainer, 3)
    return trainer


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
    whole = SpiralTrainer(config, source)
    advance(whole, 20)
    first = SpiralTrainer(config, source)
    advance(first, 10)
    path = save_checkpoint(tmp_path, first, {"minutes": 0.25})
    second = SpiralTrainer(config, source)
    counters = restore_checkpoint(path, second)
    assert counters["minutes"] == 0.25
    assert counters["frames"] == second.frames == 10 * config.agent.horizon * config.run.episodes
    advance(second, 20)
    assert differences(everything(whole), everything(second)) == []


def test_the_skipped_steps_of_both_learners_are_put_back(source, tmp_path):
    first, second = SpiralTrainer(TINY, source), SpiralTrainer(TINY, source)
    first.policy_learner.guard.load({"policy_skipped": 5, "policy_skipped_in_a_row": 4})
    first.critic.part.learner.guard.load({"critic_skipped": 3, "critic_skipped_in_a_row": 2})
    restore_checkpoint(save_checkpoint(tmp_path, first, {}), second)
    found = [(skips.learner, skips.skipped, skips.in_a_row) for skips in second.skips()]
    assert found == [("policy", 5, 4), ("critic", 3, 2)]


def test_saving_and_then_going_on_changes_nothing(source, everything, tmp_path):
    states = []
    for save in (True, False):
        trainer = SpiralTrainer(TINY, source)
        advance(trainer, 2)
        if save:
            save_checkpoint(tmp_path, trainer, {})
        advance(trainer, 4)
        states.append(everything(trainer))
    assert differences(*states) == []


def test_a_checkpoint_is_three_files_and_no_pickle(checkpoint, trained, tmp_path):
    assert listing(tmp_path) == ["00000003", *(f"00000003/{name}" for name in FILES)]
    manifest = read_manifest(checkpoint)
    assert manifest["schema"] == 2
    assert manifest["agent"] == json.loads(json.dumps(TINY.agent.to_dict()))
    assert manifest["training"] == json.loads(json.dumps(TINY.to_dict()))
    assert manifest["counters"]["updates"] == 3
    for name, digest in manifest["sha256"].items():
        data = (checkpoint / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        assert data[8:9] == b"{", "safetensors files start with a length and a JSON header"
    assert sorted(manifest["sha256"]) == [name for name in FILES if name != "manifest.json"]
    assert (checkpoint / "agent.safetensors").stat().st_mode & 0o777 == 0o644
    assert checkpoint.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("keep", [1, 3])
def test_the_last_few_are_kept(keep, source, tmp_path):
    trainer = SpiralTrainer(replace(TINY, run=replace(TINY.run, keep=keep)), source)
    for updates in range(1, 6):
        advance(trainer, updates)
        save_checkpoint(tmp_path, trainer, {})
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
def test_damage_is_found_and_named(checkpoint, trained, everything, name, damage):
    damage(checkpoint / name)
    before = everything(trained)
    with pytest.raises(ValueError, match=name):
        restore_checkpoint(checkpoint, trained)
    assert differences(before, everything(trained)) == [], "damage was noticed too late"


@pytest.mark.parametrize(
    "counters", [None, {}, {"updates": "many"}, {"updates": -1}, {"updates": float("nan")}, {"updates": 3}]
)
def test_counters_that_are_none_are_refused(checkpoint, trained, everything, counters):
    edit_manifest(checkpoint, counters=counters)
    before = everything(trained)
    with pytest.raises(ValueError, match="counters"):
        restore_checkpoint(checkpoint, trained)
    assert differences(before, everything(trained)) == []


def test_another_network_does_not_fit(checkpoint, source):
    agent = replace(TINY.agent, policy=replace(TINY.agent.policy, hidden=48))
    wider = SpiralTrainer(replace(TINY, agent=agent), source)
    with pytest.raises(
        ValueError, match=r"does not fit the configuration of this run: \S+ is \[.*\], must be \[.*\] \("
    ):
        restore_checkpoint(checkpoint, wider)


def test_an_agent_without_state_can_not_be_resumed(checkpoint, trained):
    (checkpoint / "state.safetensors").unlink()
    hashes = read_manifest(checkpoint)["sha256"]
    edit_manifest(checkpoint, sha256={"agent.safetensors": hashes["agent.safetensors"]})
    with pytest.raises(ValueError, match=r"no state\.safetensors: .*without the state to resume"):
        restore_checkpoint(checkpoint, trained)


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
    trainer = SpiralTrainer(replace(TINY, run=replace(TINY.run, keep=1)), source)
    advance(trainer, 1)
    save_checkpoint(tmp_path, trainer, {})
    before = contents(tmp_path)
    advance(trainer, 1 if again else 2)
    full_from(number)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, trainer, {"minutes": 1.0})
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


# --- Numbers that are not finite ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, -math.inf])
@pytest.mark.parametrize("where", ["policy", "average", "critic", "moments", "offset", "episodes", "counters"])
def test_nothing_that_is_not_finite_is_written(where, value, source, tmp_path):
    trainer = SpiralTrainer(replace(TINY, run=replace(TINY.run, keep=1)), source)
    advance(trainer, 1)
    save_checkpoint(tmp_path, trainer, {})
    advance(trainer, 2)
    before = contents(tmp_path)
    critic = trainer.critic.part.learner
    tensor = {
        "policy": trainer.policy_learner.policy.value.weight,
        "average": trainer.policy_learner.average.value.bias,
        "critic": critic.critic.output.weight,
        "moments": critic.optimizer.state[critic.critic.output.weight]["exp_avg_sq"],
        "offset": critic.critic.offset,
        "episodes": trainer.runtime.batch.log_prob,
        "counters": torch.zeros(1),
    }[where]
    with torch.no_grad():
        tensor.view(-1)[0] = value
    if where == "counters":
        trainer.policy_learner.entropy_scale = value
    with pytest.raises(
        NonFiniteError, match=r"no checkpoint can be written after update 2: .* is not finite"
    ) as caught:
        save_checkpoint(tmp_path, trainer, {"minutes": 1.0})
    names = {"moments": "critic_adam.", "offset": "critic.offset", "average": "policy.", "counters": "entropy_scale"}
    assert names.get(where, where) in str(caught.value)
    assert contents(tmp_path) == before
