import os
import subprocess
import sys
from dataclasses import replace

import pytest
from scripts import load_script

from limner.training.config import RayConfig
from limner.training.distance.config import DistanceConfig

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
faults = load_script("benchmarks/faults.py")


def test_the_recovery_from_a_killed_actor_is_measured(tiny):
    run = replace(tiny.run, runtime=RayConfig(actors=1))
    config = DistanceConfig(replace(tiny.agent, conditional=True), run, learning=tiny.learning)
    ((seconds, updates),) = faults.recoveries(config, 1)
    assert seconds > 0
    assert updates in (1, 2), "the only actor was killed, at most one batch of it was ready"


def test_the_processes_of_a_run_are_found_by_what_they_inherit():
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    environment = os.environ | {faults.MARK: "this run"}
    with subprocess.Popen([sys.executable, "-c", child], env=environment, stdin=subprocess.PIPE) as process:
        while len(faults.processes("this run")) < 2:
            assert process.poll() is None
        assert faults.processes("another run") == {}
        process.communicate(b"\n")
    assert faults.processes("this run") == {}
