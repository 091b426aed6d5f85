from dataclasses import replace

import pytest
import torch

from limner.agents.agent import make_policy
from limner.training.actor import Actor
from limner.training.actor_critic import EPISODES, EpisodeActor
from limner.training.imitation.config import FileExpert, ImitationConfig
from limner.training.imitation.trainer import DemonstrationActor


@pytest.fixture(params=["unconditional", "conditional", "imitation"])
def config(request, tiny, conditional_config):
    conditional = replace(tiny, agent=replace(tiny.agent, conditional=True))
    return {"unconditional": tiny, "conditional": conditional, "imitation": conditional_config}[request.param]


def make(config, source):
    kind = DemonstrationActor if isinstance(config, ImitationConfig) else EpisodeActor
    return kind(config, source)


def weights(config, seed=7):
    torch.manual_seed(seed)
    return make_policy(config.agent).state_dict()


def packed(actor, batch):
    return {name: tensor.clone() for name, tensor in actor.pack(batch).items()}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def test_weights_and_the_state_of_the_generator_decide_a_batch(config, source):
    torch.manual_seed(1)
    first = make(config, source)
    torch.manual_seed(2)
    second = make(config, source)
    for actor in (first, second):
        actor.set_weights(weights(config))
    before = torch.get_rng_state()
    one, other = (packed(actor, actor.act()[0]) for actor in (first, second))
    assert different(one, other) == []
    assert torch.equal(before, torch.get_rng_state()), "the global random state is left alone"
    assert different(one, packed(first, first.act()[0])) != []


def test_an_actor_goes_on_from_the_state_of_another(config, source):
    first, second = make(config, source), make(config, source)
    for actor in (first, second):
        actor.set_weights(weights(config))
    first.act()
    state = first.state()
    assert "generator.acting" in state
    second.restore(state, first.counters())
    one, other = (packed(actor, actor.act()[0]) for actor in (first, second))
    assert different(one, other) == []


def test_a_batch_stays_as_it_is_while_the_next_one_is_made(config, source):
    actor = make(config, source)
    batch, _ = actor.act()
    before = packed(actor, batch)
    actor.act()
    assert different(before, packed(actor, batch)) == []


def test_new_weights_are_acted_with(tiny, source):
    actor = EpisodeActor(tiny, source)
    for seed in (3, 4):
        actor.set_weights(weights(tiny, seed))
        episodes, _ = actor.act()
        policy = make_policy(tiny.agent)
        policy.load_state_dict(weights(tiny, seed))
        with torch.no_grad():
            log_prob = policy.evaluate(episodes.observations(), episodes.actions).log_prob
        torch.testing.assert_close(log_prob, episodes.log_prob)


def test_weights_of_another_network_are_refused(tiny, source):
    wider = replace(tiny, agent=replace(tiny.agent, policy=replace(tiny.agent.policy, hidden=48)))
    with pytest.raises(RuntimeError, match="size mismatch"):
        EpisodeActor(tiny, source).set_weights(weights(wider))


# --- Batches as tensors -------------------------------------------------------------------------------------------


def test_a_batch_comes_back_from_its_tensors(config, source):
    actor = make(config, source)
    batch, _ = actor.act()
    again = actor.unpack([packed(actor, batch)], "cpu")
    assert type(again) is type(batch)
    assert different(packed(actor, batch), packed(actor, again)) == []


def test_a_batch_is_packed_without_copies(config, source):
    actor = make(config, source)
    batch, _ = actor.act()
    again = actor.pack(batch)
    assert all(tensor.data_ptr() == again[name].data_ptr() for name, tensor in actor.pack(batch).items())


def test_batches_of_shares_are_one_batch(config, source):
    actors = [make(share, source) for share in type(make(config, source)).shares(config, 3)]
    parts = [packed(actor, actor.act()[0]) for actor in actors]
    joined = packed(actors[0], actors[0].unpack(parts, "cpu"))
    whole = make(config, source)
    expected = packed(whole, whole.act()[0])
    for name, tensor in joined.items():
        axis = EPISODES[name] if isinstance(whole, EpisodeActor) else 0
        assert torch.equal(tensor, torch.cat([part[name] for part in parts], axis))
        assert tensor.shape[axis] >= expected[name].shape[axis]
        if isinstance(whole, EpisodeActor):
            assert tensor.shape == expected[name].shape


# --- Shares -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_shares_paint_as_many_episodes_together_each_on_one_thread(config, count, source):
    shares = type(make(config, source)).shares(replace(config, run=replace(config.run, threads=2)), count)
    episodes = [share.run.episodes for share in shares]
    assert len(shares) == count
    assert sum(episodes) == config.run.episodes
    assert max(episodes) - min(episodes) <= 1
    assert {share.run.threads for share in shares} == {1}
    assert {share.agent for share in shares} == {config.agent}


def test_shares_need_not_fit_the_minibatches(tiny):
    config = replace(tiny, learning=replace(tiny.learning, minibatches=4))
    assert [share.run.episodes for share in EpisodeActor.shares(config, 3)] == [2, 3, 3]


def test_shares_of_a_training_on_a_gpu_paint_on_the_cpu(tiny):
    assert [share.device for share in EpisodeActor.shares(replace(tiny, device="cuda"), 2)] == ["cpu", "cpu"]


def test_shares_remember_as_many_programs_together(conditional_config):
    shares = DemonstrationActor.shares(conditional_config, 3)
    assert [share.expert.capacity for share in shares] == [11, 11, 11]
    assert [share.steps_per_update for share in shares] == [1, 1, 1]


def test_a_file_is_read_by_one_actor(conditional_config):
    agent = replace(conditional_config.agent, conditional=False)
    config = replace(conditional_config, agent=agent, expert=FileExpert("programs.jsonl"))
    assert DemonstrationActor.shares(config, 3) == [config]


def test_actors_of_an_algorithm_that_does_not_say_how_cannot_be_shared(tiny):
    class Lonely(Actor):
        pass

    with pytest.raises(NotImplementedError, match="Lonely cannot be shared"):
        Lonely.shares(tiny, 2)
