"""Clusters: what cannot work is refused, and a cluster of a run's own ends with it."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from ray_runs import limner

from limner.training.config import RayConfig
from limner.training.runtime import cluster as module
from limner.training.runtime.cluster import Cluster, make_token

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_without_ray_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r'--runtime ray needs Ray .*: pip install "limner\[ray\]"'):
        Cluster(RayConfig(), 2)


@pytest.mark.usefixtures("cluster")
def test_more_processes_than_the_cluster_has_free_cores_are_refused(monkeypatch):
    monkeypatch.setattr(module, "FREE_SECONDS", 0.0)
    with pytest.raises(ValueError, match=r"actors is 9: with the critic these are 10 processes, .* \d free cores"):
        Cluster(RayConfig(actors=9), 10)


def test_a_run_from_the_command_line_ends_cleanly(tmp_path):
    process = limner(folder=tmp_path)
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    assert (tmp_path / "runs/tiny/report.html").exists()
    assert "runtime/lag" in (tmp_path / "runs/tiny/log.jsonl").read_text()


def test_clusters_that_start_together_have_one_token(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "own")
    make_token()
    assert list(tmp_path.iterdir()) == [], "it is not looked for there"
    for name in [name for name in os.environ if name.startswith("RAY_AUTH_")]:
        monkeypatch.delenv(name)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: make_token(), range(50)))
    (path,) = (tmp_path / ".ray").iterdir()
    token = path.read_text()
    make_token()
    assert path.read_text() == token
    assert (path.name, len(token), path.stat().st_mode & 0o777) == ("auth_token", 64, 0o600)


def test_an_address_without_a_cluster_is_an_error(tmp_path):
    process = limner("--address", "127.0.0.1:1", folder=tmp_path)
    _, error = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "address is '127.0.0.1:1': cannot join a Ray cluster there" in error
