"""Nothing is left of a cluster when the run that started it has ended, however it ended."""

import os
import signal

import pytest
from ray_runs import descendants, gone, limner, started

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_a_run_is_stopped(number, tmp_path):
    process = limner("--frames", "100000000", "--checkpoint-every", "5", folder=tmp_path)
    try:
        started(process, tmp_path)
        children = descendants(process.pid)
        assert len(children) > 3
        os.kill(process.pid, number)
        _, error = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == (130 if number != signal.SIGKILL else -signal.SIGKILL), error
    assert gone(children)
    assert ("limner: training has ended" in error) == (number == signal.SIGKILL)
    assert list((tmp_path / "runs/tiny/checkpoints").glob("0*"))
