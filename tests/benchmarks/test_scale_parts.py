import os
import subprocess
import sys
import time

import pytest
from scripts import load_script

pytest.importorskip("ray", reason="Ray is not installed")
load_script("benchmarks/runtimes.py")
load_script("benchmarks/scale_model.py")
replay = load_script("benchmarks/scale_replay.py")
parts = load_script("benchmarks/scale_parts.py")


def test_a_replaying_actor_gives_the_same_episodes_again(tiny, source):
    actor = replay.ReplayingActor(parts.sized(tiny, 4), source)
    first = {name: tensor.clone() for name, tensor in actor.pack(actor.act()[0]).items()}
    again = actor.pack(actor.act()[0])
    assert first["observed"].any()
    assert all(first[name].equal(again[name]) for name in first)


def test_one_process_makes_the_share_of_one_of_all_actors(tiny):
    (share,) = replay.ReplayingActor.shares(parts.sized(tiny, 64, 16), 16)
    assert share.run.episodes == 4


def test_costs_of_computing_and_bytes_grow_with_the_episodes(tiny, source):
    acted, sizes = parts.acting(tiny, source, 0.0)
    assert acted.keys() == sizes.keys() == set(parts.ACTED)
    assert min(acted.values()) > 0
    assert sizes[128] - sizes[64] == 64 / 2 * (sizes[4] - sizes[2])


def test_the_cpu_time_of_a_child_is_counted():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        until = time.monotonic() + 60
        while parts.cpu_seconds().get(child.pid, 0.0) < 0.1 and time.monotonic() < until:
            time.sleep(0.05)
        assert parts.cpu_seconds()[child.pid] >= 0.1
        assert os.getpid() in parts.cpu_seconds()
        assert 1 not in parts.cpu_seconds()
    finally:
        child.kill()
        child.wait()
