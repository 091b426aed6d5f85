"""What trains painters trains agents that build scenes: the same code, another world."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.config import AgentConfig
from limner.data.dataset import ArrayDataset
from limner.data.picture_source import PictureSource
from limner.models.config import CriticConfig, PolicyConfig
from limner.training import make_trainer
from limner.training.config import OptimizerConfig, PolicyGradientConfig, RunConfig
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import ImitationConfig, RandomExpert, SearchExpert
from limner.training.spiral.config import SpiralConfig
from limner.worlds.scenes.examples import visible_scenes
from limner.worlds.scenes.settings import CHANGE, PLACE, ScenesSettings

pytestmark = pytest.mark.usefixtures("gl")
AGENT = AgentConfig(
    ScenesSettings(canvas=32),
    conditional=True,
    horizon=6,
    resolution=16,
    policy=PolicyConfig(channels=4, hidden=32, noise=2),
)
POINTER = replace(
    AGENT, renderer=ScenesSettings(), resolution=64, policy=replace(AGENT.policy, network="pointer", channels=8)
)
PRIOR = replace(AGENT, conditional=False)
RUN = RunConfig(data="scenes", episodes=8, frames=240, threads=1)
RANDOM = ImitationConfig(AGENT, RUN, RandomExpert(), batch_size=4, steps_per_update=2)
SEARCH = replace(RANDOM, expert=SearchExpert(candidates=4, capacity=32, sweeps=1))
CRITIC = CriticConfig(width=4, batch_size=8, steps_per_update=1, replay=2)
GRADIENT = PolicyGradientConfig(minibatches=1)
KINDS = {
    "random": RANDOM,
    "search": SEARCH,
    "pointer": replace(RANDOM, agent=POINTER),
    "prior": replace(SEARCH, agent=PRIOR),
    "spiral": SpiralConfig(AGENT, RUN, critic=CRITIC, learning=GRADIENT),
    "spiral, unconditional": SpiralConfig(PRIOR, RUN, critic=CRITIC, learning=GRADIENT),
    "distance": DistanceConfig(AGENT, RUN, learning=GRADIENT),
}


@pytest.fixture(scope="module")
def scenes(gl):
    return ArrayDataset("scenes", visible_scenes(np.random.default_rng(0), 40)[0])


def train(config, scenes, updates=2):
    trainer = make_trainer(config, PictureSource(scenes, config.agent.renderer.canvas))
    for update in range(updates):
        trainer.update(update / updates)
    return trainer


@pytest.mark.parametrize("kind", KINDS)
def test_every_algorithm_trains_agents_of_scenes_on_any_number_of_threads(kind, scenes):
    config = KINDS[kind]
    one, two = (train(replace(config, run=replace(config.run, threads=threads)), scenes) for threads in (1, 2))
    weights, others = (trainer.policy_learner.policy.state_dict() for trainer in (one, two))
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    fresh = train(config, scenes, 0).policy_learner.policy.state_dict()
    assert not all(torch.equal(weights[name], fresh[name]) for name in weights)


def test_demonstrations_show_perturbed_objects_and_how_the_expert_changes_them(scenes):
    expert = replace(RANDOM.expert, action_noise=0.5)
    config = replace(RANDOM, agent=replace(AGENT, horizon=9), expert=expert, batch_size=16, steps_per_update=8)
    rows = train(config, scenes, 1).runtime.batch.rows
    expert, done = rows["expert"], rows["actions"]
    changed, placed = (expert[..., 0] == verb for verb in (CHANGE, PLACE))
    assert 0.1 < changed.float().mean() < 0.4
    assert placed.any(1).all()
    np.testing.assert_array_equal(config.agent.actions.canonical(expert.long().numpy()), expert)
    wrong = (expert != done).any(2)
    assert torch.equal(wrong[:, :-1], changed[:, 1:])


def test_random_scenes_are_learnt(scenes):
    agent = AgentConfig(
        ScenesSettings(canvas=32, grid=4, sizes=(0.4,), levels=2),
        conditional=True,
        horizon=3,
        resolution=32,
        policy=PolicyConfig(channels=16, hidden=64, noise=2),
    )
    learning = OptimizerConfig(learning_rate=2e-3, entropy_cost=0.0)
    config = replace(RANDOM, agent=agent, learning=learning, batch_size=16, steps_per_update=16)
    trainer = train(config, scenes, 18)
    policy, demonstrations = trainer.policy_learner.policy, trainer.runtime.batch
    observation, expert = demonstrations.sample_episodes(64, torch.Generator().manual_seed(0))
    shown = policy.evaluate(observation, expert).log_prob.mean()
    other = observation._replace(target=observation.target.roll(1, dims=1))
    assert policy.evaluate(other, expert).log_prob.mean() < shown - 0.5
