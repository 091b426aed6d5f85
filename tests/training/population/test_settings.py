"""Settings of members: ranges that are never left, and who copies whom."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.training.config import RayConfig
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import ImitationConfig
from limner.training.population.settings import PopulationConfig, Settings, choose_parents, member_config
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config
ranges = st.tuples(st.floats(1e-3, 10), st.floats(1.01, 100)).map(lambda pair: (pair[0], pair[0] * pair[1]))
factors = st.tuples(st.floats(0.01, 0.99), st.floats(1, 50))


@given(ranges, ranges, factors, st.integers(0, 2**32), st.integers(1, 30))
def test_settings_never_leave_their_ranges(learning, entropy, perturbation, seed, steps):
    population = PopulationConfig(learning_rate=learning, entropy_cost=entropy, perturbation=perturbation)
    rng = np.random.default_rng(seed)
    settings = population.sample(rng)
    for _ in range(steps):
        for value, (low, high) in zip(settings, (learning, entropy), strict=True):
            assert low <= value <= high
        settings = population.perturb(settings, rng)


def test_a_perturbation_multiplies_each_setting_by_one_of_the_factors():
    population, rng = PopulationConfig(), np.random.default_rng(0)
    seen = {tuple(round(x, 6) for x in population.perturb(Settings(1.0, 1.0), rng)) for _ in range(50)}
    assert seen == {(a, b) for a in (0.8, 1.25) for b in (0.8, 1.25)}


def test_the_same_seed_gives_the_same_settings():
    a, b, c = (PopulationConfig().sample(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert a == b != c


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"members": 1}, "population is 1: must be 2 or more; leave --population out to train one agent"),
        ({"learning_rate": (3.0, 0.3)}, r"learning_rate is \(3.0, 0.3\): must be two numbers, the lower one first"),
        ({"entropy_cost": (1.0, 1.0)}, "entropy_cost is .*: must be two numbers, the lower one first"),
        ({"entropy_cost": (1.0,)}, "entropy_cost is .*: must be two numbers"),
        ({"learning_rate": (0.0, 1.0)}, "learning_rate is .*: must be positive"),
        ({"perturbation": (1.2, 1.5)}, "perturbation is .*: must lie on both sides of 1"),
        ({"share": 0.6}, "share is 0.6: must be in"),
        ({"share": 0.0}, "share is 0.0: must be in"),
        ({"round_frames": 0}, "round_frames is 0: must be positive"),
        ({"fitness": "beauty"}, "fitness is 'beauty': must be 'critic' or 'frechet' or 'mse' or null"),
        ({"seed": -1}, "seed is -1: must be in"),
    ],
)
def test_what_cannot_work_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        PopulationConfig(**changes)


def test_fitness_follows_from_the_agent():
    conditional = replace(TINY.agent, conditional=True)
    distance = DistanceConfig(conditional, TINY.run, learning=TINY.learning)
    assert PopulationConfig().fitted(TINY).fitness == "frechet"
    assert PopulationConfig().fitted(distance).fitness == "mse"
    assert PopulationConfig(fitness="critic").fitted(TINY).fitness == "critic"
    assert PopulationConfig(shared_critic=True).fitted(TINY).fitness == "critic", "it compares them all alike"
    for fitness, config, possible in [
        ("mse", TINY, "critic, frechet"),
        ("frechet", distance, "mse"),
        ("critic", distance, "mse"),
        ("critic", ImitationConfig(TINY.agent, TINY.run), "frechet"),
    ]:
        with pytest.raises(ValueError, match=f"fitness is '{fitness}': must be one of {possible} for this agent"):
            PopulationConfig(fitness=fitness).fitted(config)


def test_rounds_are_whole_updates():
    fitted = PopulationConfig(round_frames=50).fitted(TINY)
    assert [fitted.round_end(TINY, number) for number in (1, 2, 3, 4)] == [3, 6, 9, 10]
    assert fitted.rounds(TINY) == 4
    assert PopulationConfig().fitted(TINY).round_frames == 24
    with pytest.raises(ValueError, match="round_frames is 240, and --frames 240: choose fewer for two rounds"):
        PopulationConfig(round_frames=240).fitted(TINY)
    with pytest.raises(ValueError, match="minutes is 5: a population takes turns by frames; leave --minutes out"):
        PopulationConfig().fitted(replace(TINY, run=replace(TINY.run, minutes=5)))


def test_only_members_of_one_process_with_a_critic_can_share_it():
    shared = PopulationConfig(3, shared_critic=True)
    for config, words in [
        (ImitationConfig(TINY.agent, TINY.run), "the algorithm is 'imitation'; choose spiral, or leave it out"),
        (replace(TINY, run=replace(TINY.run, runtime=RayConfig())), "train in one process; leave --runtime ray out"),
        (replace(TINY, critic=replace(TINY.critic, encoder="contrastive")), "set critic.encoder none"),
        (replace(TINY, run=replace(TINY.run, keep=1)), "keep is 1: must be 2 or more with population.shared_critic"),
    ]:
        with pytest.raises(ValueError, match=words):
            shared.fitted(config)
    assert shared.common(TINY).critic.replay == 3, "one batch of each member"
    assert PopulationConfig(3).common(TINY) == TINY


def test_a_member_has_its_own_seed_and_settings_and_trains_in_one_process():
    config = replace(TINY, run=replace(TINY.run, seed=7, threads=2, runtime=RayConfig()))
    member = member_config(config, 2, Settings(2.0, 0.5))
    assert (member.run.seed, member.run.evaluation_seed) == (9, 7), "all are evaluated with the same noise"
    assert member.run.runtime.name == "local"
    assert member.learning.learning_rate == TINY.learning.learning_rate * 2
    assert member.learning.entropy_cost == TINY.learning.entropy_cost / 2
    assert member_config(TINY, 0, Settings(1.0, 1.0)).critic == TINY.critic


# --- Exploit -----------------------------------------------------------------------------------------------------


def parents(fitness, intact=None, share=0.25, seed=0):
    intact = range(len(fitness)) if intact is None else intact
    return choose_parents(fitness, intact, share, np.random.default_rng(seed))


def test_the_worst_copy_the_best():
    assert parents([1, 4, 2, 3]) == {0: 1}
    found = {tuple(sorted(parents([8, 1, 7, 2, 6, 3, 5, 4], seed=seed).items())) for seed in range(30)}
    assert found == {((1, a), (3, b)) for a in (0, 2) for b in (0, 2)}


def test_nobody_copies_from_a_member_without_an_intact_checkpoint():
    assert parents([1, 4, 2, 3], intact=[0, 2, 3]) == {}, "3 is good, but not among the best"
    assert parents([8, 1, 7, 2, 6, 3, 5, 4], intact=[1, 2, 3]) == {1: 2, 3: 2}


def test_nobody_copies_what_is_not_better():
    assert parents([2, 2, 2, 2]) == {}


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_the_collapsed_copy_the_best_intact_one(nothing):
    assert parents([nothing, 4, nothing, 3]) == {0: 1, 2: 1}
    assert parents([nothing, 4, nothing, 3], intact=[0, 3]) == {0: 3, 2: 3}
    assert parents([nothing, nothing]) == {}


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True)), min_size=2, max_size=12),
    st.sets(st.integers(0, 11)),
    st.floats(0.01, 0.5),
    st.integers(0, 1000),
)
def test_no_good_member_is_ever_replaced(fitness, intact, share, seed):
    found = parents(fitness, intact, share, seed)
    healthy = {i for i, value in enumerate(fitness) if value is not None and math.isfinite(value)}
    assert not found.keys() & set(found.values()), "nobody who is copied is replaced"
    for member, parent in found.items():
        assert parent in intact
        assert parent in healthy
        assert member not in healthy or fitness[parent] > fitness[member]
    assert len(found.keys() & healthy) <= len(fitness) / 2
