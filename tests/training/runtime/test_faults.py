"""Training goes on, or says what is wrong, when nodes go, actors are slow, processes differ or memory is scarce."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest
import torch
from ray_runs import gone, limner, started

from limner.training import make_trainer
from limner.training.actor import Actor
from limner.training.config import RayConfig
from limner.training.run import read_run
from limner.training.runtime import process as process_module
from limner.training.runtime.ray import RayRuntime
from limner.training.saving import restore_checkpoint, save_checkpoint

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def nodes():
    """A cluster that this process has joined: a head with four cores, to which nodes can be added."""
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500}
    head = {"num_cpus": 4, "object_store_memory": 100 << 20, "include_dashboard": False, "_system_config": quick}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        ray.init(address=nodes.address, log_to_driver=False)
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()
        os.environ.pop("RAY_ADDRESS", None)  # which Cluster has set


def toy(folder):
    """Actors whose batches name their maker and the weights.

    The first waits for the file ``act`` in the folder before each batch, the second for ``weights`` before it has
    weights. An actor ends at once, without an answer, when it is asked for what it keeps and there is a file ``end``.
    """

    def wait(name):
        while not (folder / name).exists():
            time.sleep(0.01)

    class Toy(Actor):
        prefix = "batch"
        keeps = True

        def __init__(self, config, source):
            self.index, self.made = config.run.seed, 0
            self.generator = torch.Generator()

        @classmethod
        def shares(cls, config, count):
            return [replace(config, run=replace(config.run, seed=i)) for i in range(count)]

        def set_weights(self, weights):
            if self.index == 1:
                wait("weights")
            self.version = weights["version"].item()

        def act(self):
            if self.index == 0:
                wait("act")
            self.made += 1
            return torch.tensor([self.index, self.made, self.version]), {}

        @classmethod
        def pack(cls, batch):
            return {"row": batch}

        @classmethod
        def unpack(cls, parts, device):
            return [tuple(part["row"].tolist()) for part in parts]

        def tensors(self):
            if (folder / "end").exists():
                (folder / "end").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            return {"made": torch.tensor(self.made)}

        def counters(self):
            return {"made": self.made}

        def load(self, tensors, counters):
            assert tensors["made"] == counters["made"]
            self.made = counters["made"]

    return Toy


@pytest.fixture
def make(nodes, tiny, source, tmp_path):
    """A function that makes a runtime of toys, which is closed in the end."""
    made = []

    def make_one(**options):
        made.append(RayRuntime(toy(tmp_path), tiny, RayConfig(**options), source))
        publish(made[-1])
        return made[-1]

    yield make_one
    for runtime in made:
        runtime.close()


def publish(runtime):
    runtime.publish({"version": torch.tensor(runtime.version + 1)})


def test_batches_of_slow_actors_and_of_late_weights_hold_nobody_up_and_count_once(make, tmp_path, monkeypatch):
    runtime = make(actors=3, max_lag=2)
    finish = runtime._finish

    def check(actor):
        call, tensors, figures = finish(actor)
        assert tensors["row"][2] == call.version
        return call, tensors, figures

    monkeypatch.setattr(runtime, "_finish", check)
    rows = []

    def update():
        rows.extend(runtime.take())
        assert all(runtime.version - version <= 2 for _, _, version in rows[-3:])
        assert max(runtime.lags) <= 2
        publish(runtime)

    for _ in range(5):
        update()
    assert {index for index, _, _ in rows} == {2}
    for name in ("act", "weights"):
        (tmp_path / name).touch()
    old = [actor.call.result for actor in runtime.actors[:2]]
    assert len(ray.wait(old, num_returns=2, timeout=60)[0]) == 2
    while {index for index, _, _ in rows} != {0, 1, 2} and runtime.version < 1000:
        update()
    assert {index for index, _, _ in rows} == {0, 1, 2}
    assert runtime.dropped >= 2
    assert len({(index, number) for index, number, _ in rows}) == len(rows)
    assert {(0, 1), (1, 1)}.isdisjoint({(index, number) for index, number, _ in rows})


def test_of_an_actor_that_ends_while_it_is_asked_what_it_keeps_that_is_what_it_kept_before(make, tmp_path):
    (tmp_path / "act").touch()
    runtime = make(actors=1, lockstep=True)

    def update():
        rows = runtime.take()
        publish(runtime)
        return rows

    def kept():
        ((tensors, counters),) = [finish() for finish in runtime.begin_snapshots()]
        assert tensors["actor.0.made"] == counters["actor.0.made"]
        return counters["actor.0.made"]

    assert [update() for _ in range(2)] == [[(0, 1, 1)], [(0, 2, 1)]]
    assert kept() == 3
    update()
    (tmp_path / "end").touch()
    assert kept() == 3
    update()
    assert kept() == 4
    assert runtime.actors[0].process.restarts == 1


def test_a_process_that_ends_again_and_again_ends_training(make, tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "MOST_RESTARTS", 0)
    (tmp_path / "end").touch()
    runtime = make(actors=1)
    runtime.begin_snapshots()
    with pytest.raises(ChildProcessError, match="a process of the cluster has ended 1 times without a result: "):
        runtime.take()


def test_another_version_of_limner_on_a_node_is_an_error_that_names_both(make, monkeypatch):
    here = process_module.version("limner")
    monkeypatch.setattr(process_module, "version", lambda name: "0.0.1")
    with pytest.raises(ValueError, match=f"Limner is {here} on a node of the cluster, and 0.0.1 where training was"):
        make(actors=1).take()


def test_another_version_of_python_in_the_cluster_is_an_error_that_names_both(nodes):
    script = (
        "import ray._private.utils as utils; ray_version = utils.compute_version_info()[0]\n"
        "utils.compute_version_info = lambda: (ray_version, '3.0.0', None)\n"
        "from limner.training.config import RayConfig; from limner.training.runtime.cluster import Cluster\n"
        f"try: Cluster(RayConfig(address={nodes.address!r}), 1)\n"
        "except ValueError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert f"address is {nodes.address!r}: cannot join a Ray cluster there (Version mismatch" in result.stdout
    assert f"Python: {sys.version.split()[0]} " in result.stdout
    assert "Python: 3.0.0" in result.stdout


def test_what_was_done_on_a_node_that_is_gone_is_done_again_elsewhere(nodes, tiny, source, tmp_path):
    head = ray.util.placement_group([{"CPU": 4}])
    assert head.wait(60)
    node = nodes.add_node(num_cpus=2, object_store_memory=100 << 20)
    config = replace(tiny, run=replace(tiny.run, runtime=RayConfig(actors=1, lockstep=True)))
    with closing(make_trainer(config, source)) as trainer:
        ray.util.remove_placement_group(head)
        trainer.update(0.0)
        path = save_checkpoint(tmp_path, trainer, {})
        undisturbed = [trainer.update(0.1), trainer.update(0.2)][-1], weights(trainer)
        restore_checkpoint(path, trainer)
        trainer.update(0.1)
        processes = [trainer.runtime.actors[0].process, trainer.critic.process]
        numbers = ray.get([process.handle.process_number.remote() for process in processes])
        nodes.remove_node(node, allow_graceful=False)
        assert gone(numbers)
        disturbed = trainer.update(0.2), weights(trainer)
        assert [process.restarts for process in processes] == [1, 1]
    assert torch.equal(undisturbed[1], disturbed[1])
    names = [name for name in undisturbed[0] if name.startswith(("policy/", "critic/", "reward/"))]
    assert [undisturbed[0][name] for name in names] == [disturbed[0][name] for name in names]


def weights(trainer):
    return torch.cat([tensor.flatten() for tensor in trainer.policy_learner.policy.state_dict().values()])


def test_a_run_whose_cluster_is_gone_ends_with_a_message_and_its_checkpoints(tmp_path):
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 2, "object_store_memory": 100 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    options = ["--address", cluster.address, "--actors", "1", "--frames", "100000000", "--checkpoint-every", "1"]
    process = limner(*options, folder=tmp_path)
    try:
        started(process, tmp_path)
        cluster.shutdown()
        _, error = process.communicate(timeout=120)
    finally:
        process.kill()
        cluster.shutdown()
        os.environ.pop("RAY_ADDRESS", None)
    assert process.returncode != 0
    assert "limner: training has ended: its process was killed, or its Ray cluster is gone" in error
    assert read_run(tmp_path / "runs/tiny").run.runtime.actors == 1


def test_where_shared_memory_is_small_files_are_used_and_it_is_said():
    small = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    mount = "mount -t tmpfs -o size=64m none /dev/shm"
    if subprocess.run([*small, mount], capture_output=True).returncode:
        pytest.skip("this user may not mount another /dev/shm")
    script = (
        "import numpy as np\n"
        "from limner.training.config import RayConfig; from limner.training.runtime.cluster import Cluster\n"
        "cluster = Cluster(RayConfig(), 1)\n"
        "references = [cluster.ray.put(np.full(40 << 20, i, np.uint8)) for i in range(4)]\n"
        "print([int(cluster.ray.get(reference).sum()) >> 20 for reference in references])\n"
        "cluster.close()\n"
    )
    command = [*small, f'{mount} && exec "$@"', "sh", sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.stdout == "[0, 40, 80, 120]\n", result.stderr
    assert "object_store is 512 MiB, and /dev/shm has 64 MiB free: files in" in result.stderr
