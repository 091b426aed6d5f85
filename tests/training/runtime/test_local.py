import threading
from dataclasses import replace

import pytest
import torch

from limner.training.actor import Actor
from limner.training.part import Part
from limner.training.runtime import make_runtime
from limner.training.runtime.local import LocalRuntime


class Counting(Actor):
    """Its batches are numbered and tell the weights that they were made with."""

    prefix = "batch"

    def __init__(self, config, source):
        self.config, self.source = config, source
        self.generator = torch.Generator().manual_seed(config.run.seed)
        self.weights, self.made, self.threads = None, 0, set()

    def set_weights(self, weights):
        self.weights = weights["w"].item()

    def act(self):
        if self.weights is None:
            raise RuntimeError("there are no weights")
        self.threads.add(threading.current_thread().name)
        self.made += 1
        return (self.made, self.weights), {"figure": float(self.made)}

    @classmethod
    def pack(cls, batch):
        return {"numbers": torch.tensor(batch)}

    @classmethod
    def unpack(cls, parts, device):
        (part,) = parts
        return tuple(part["numbers"].to(device).tolist())

    def tensors(self):
        return {"kept": torch.tensor([self.made])}

    def counters(self):
        return {"made": self.made}

    def load(self, tensors, counters):
        assert tensors["kept"].item() == counters["made"]
        self.made = int(counters["made"])


class Once(Counting):
    once = True


class Notes(Part):
    """Notes what it is told."""

    def __init__(self, config, source):
        self.made_with, self.notes, self.threads = (config, source), [], []

    def note(self, word, number):
        self.threads.append((threading.current_thread().name, torch.get_num_threads()))
        self.notes.append((word, number))
        return len(self.notes)

    def fail(self):
        raise ValueError("this does not work")


def weights(number):
    return {"w": torch.tensor(number)}


@pytest.fixture(params=[1, 2])
def config(request, tiny):
    """On one thread and on two."""
    return replace(tiny, run=replace(tiny.run, threads=request.param))


@pytest.fixture
def runtime(config):
    """A function that makes runtimes, which are closed in the end."""
    made = []

    def make(kind=Counting, beside=True):
        made.append(LocalRuntime(kind, config, "pictures", beside))
        return made[-1]

    yield make
    for one in made:
        one.close()


def without_time(figures):
    return {name: value for name, value in figures.items() if not name.startswith("seconds/")}


def test_it_is_the_runtime_of_a_configuration(config):
    runtime = make_runtime(Counting, config, "pictures", beside=True)
    runtime.close()
    assert isinstance(runtime, LocalRuntime)
    assert (runtime.actor.config, runtime.actor.source) == (config, "pictures")


def test_a_batch_is_made_beside_the_update_before_it(runtime):
    local = runtime(beside=True)
    local.publish(weights(0))
    taken, figures = [], []
    for update in range(1, 5):
        taken.append(local.take())
        figures.append(without_time(local.publish(weights(update))))
    assert taken == [(1, 0), (2, 0), (3, 1), (4, 2)]
    assert figures == [{"figure": number} for number in (2.0, 3.0, 4.0, 5.0)]
    assert local.batch == (5, 3), "the batch that is learnt from next"


def test_or_with_the_weights_that_were_just_published(runtime):
    local = runtime(beside=False)
    assert without_time(local.publish(weights(0))) == {"figure": 1.0}
    taken = []
    for update in range(1, 4):
        taken.append(local.take())
        local.publish(weights(update))
    assert taken == [(1, 0), (2, 1), (3, 2)]
    assert local.batch == (4, 3)


@pytest.mark.parametrize("beside", [True, False])
def test_a_batch_that_is_the_only_one_is_made_once(runtime, beside):
    local = runtime(Once, beside)
    assert local.publish(weights(0)) == {}
    for update in range(1, 4):
        assert local.take() == (1, 0)
        assert local.publish(weights(update)) == {}
    assert local.actor.made == 1


def test_the_next_batch_can_be_made_anew_with_the_newest_weights(runtime):
    local = runtime(beside=True)
    local.publish(weights(0))
    local.begin()
    local.publish(weights(5))
    assert local.batch == (1, 0)
    local.begin()
    assert local.take() == (2, 5)


def test_the_time_of_acting_is_a_figure(runtime):
    local = runtime(beside=True)
    local.publish(weights(0))
    local.take()
    assert local.publish(weights(1))["seconds/acting"] >= 0


def test_what_fails_beside_the_update_is_raised_when_the_weights_are_published(runtime):
    local = runtime(beside=True)
    local.publish(weights(0))
    local.begin()
    local.actor.weights = None
    local.take()
    with pytest.raises(RuntimeError, match="there are no weights"):
        local.publish(weights(1))


def test_a_second_thread_acts_where_there_is_one(runtime, config):
    here = threading.current_thread().name
    for beside in (True, False):
        local = runtime(beside=beside)
        local.publish(weights(0))
        local.take()
        local.actor.threads.clear()
        local.publish(weights(1))
        local.take()
        local.publish(weights(2))
        (name,) = local.actor.threads
        assert (name == here) == (config.run.threads == 1 or not beside)


# --- Hosted objects -----------------------------------------------------------------------------------------------


def test_calls_of_a_hosted_object_are_executed_one_after_the_other(runtime, config):
    hosted = runtime().host(Notes)
    assert hosted.part.made_with == (config, "pictures")
    results = [hosted.call("note", "word", number) for number in range(20)]
    assert [result.result() for result in results] == list(range(1, 21))
    assert hosted.part.notes == [("word", number) for number in range(20)]
    (thread,) = set(hosted.part.threads)
    assert (thread[0] == threading.current_thread().name) == (config.run.threads == 1)
    assert thread[1] == torch.get_num_threads() == 1, "every kernel runs on one thread"


def test_what_a_call_raises_its_result_raises(runtime):
    hosted = runtime().host(Notes)
    result = hosted.call("fail")
    with pytest.raises(ValueError, match="this does not work"):
        result.result()
    assert hosted.call("note", "still", 1).result() == 1


# --- State --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [True, False])
def test_a_runtime_goes_on_from_the_state_of_another(runtime, beside):
    first, second = runtime(beside=beside), runtime(beside=beside)
    first.publish(weights(0))
    second.publish(weights(9))
    for update in (1, 2):
        first.take()
        first.publish(weights(update))
    tensors, counters = first.tensors(), first.counters()
    assert tensors.keys() == {"batch.numbers", "kept"}
    assert counters == {"made": 3}
    second.restore(weights(2), tensors, counters)
    for update in (3, 4):
        assert first.take() == second.take()
        assert without_time(first.publish(weights(update))) == without_time(second.publish(weights(update)))
    assert first.counters() == second.counters() == {"made": 5}
    for name, tensor in first.tensors().items():
        assert torch.equal(tensor, second.tensors()[name])


def test_before_the_first_batch_there_is_none_to_save(runtime):
    first, second = runtime(), runtime()
    for one, number in ((first, 0), (second, 9)):
        one.publish(weights(number))
    second.begin()
    tensors, counters = first.tensors(), first.counters()
    assert tensors.keys() == {"kept"}
    second.restore(weights(0), tensors, counters)
    assert second.take() == first.take() == (1, 0)


def test_the_generators_are_those_of_the_actor(runtime):
    local = runtime()
    assert local.generators() == {"acting": local.actor.generator}


def test_closing_ends_the_thread(runtime, config):
    local = runtime()
    hosted = local.host(Notes)
    hosted.call("note", "last", 1).result()
    thread = next(iter(hosted.part.threads))[0]
    local.close()
    running = {one.name for one in threading.enumerate()} - {threading.current_thread().name}
    assert config.run.threads == 1 or thread not in running
    local.close()
