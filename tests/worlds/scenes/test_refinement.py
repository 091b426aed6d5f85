"""What draws with a brush builds scenes with the same code: training, search and evaluation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.worlds.scenes.objects import PLACE, SKIP
from limner.agents.agent import load_agent
from limner.agents.checkpoint import save_checkpoint
from limner.agents.rollout import EpisodeBatch, observe
from limner.data import scenes
from limner.data.picture_source import PictureSource
from limner.data.scenes import SceneDataset, random_scenes, show
from limner.inference.draw import draw
from limner.inference.evaluate import reconstruct
from limner.inference.paint import canvas_shape
from limner.programs.program import execute
from limner.worlds.simulator import Simulator, negative_mse
from limner.training.config import Config, ImitationConfig, LearningConfig, PolicyConfig
from limner.training.imitation.trainer import Imitation
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial
from limner.worlds.proposals import ResidualProposals
from limner.worlds.scenes.refinement import ObjectRefinement, refine
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import ScenesSettings

pytestmark = pytest.mark.usefixtures("gl")
SMALL = replace(
    PRESETS["tiny"],
    data="scenes",
    conditional=True,
    steps=6,
    renderer=ScenesSettings(canvas=32),
    imitation=ImitationConfig(teacher="random", tries=4, memory=32, batch=4, steps=2),
)
POINTER = replace(SMALL.policy, network="pointer")
KINDS = {
    "random": SMALL,
    "search": replace(SMALL, imitation=replace(SMALL.imitation, teacher="search")),
    "pointer": replace(SMALL, renderer=ScenesSettings(), resolution=64, policy=POINTER),
    "prior": replace(SMALL, conditional=False, imitation=replace(SMALL.imitation, teacher="search")),
    "critic": replace(SMALL, imitation=ImitationConfig()),
    "critic, without targets": replace(SMALL, conditional=False, imitation=ImitationConfig()),
}


def some_scenes(count: int, seed: int = 0) -> SceneDataset:
    return random_scenes(np.random.default_rng(seed), count)


@pytest.fixture(scope="module")
def data(gl: None) -> SceneDataset:
    return some_scenes(40)


def train(config: Config, data: SceneDataset, updates: int = 2) -> Imitation | Adversarial:
    source = PictureSource(data, config.renderer.canvas)
    training = Imitation(config, source) if config.imitation.teacher else Adversarial(config, source)
    for update in range(updates):
        training.update(update / updates)
    return training


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_trains_painters_trains_here_on_any_number_of_threads(kind, data):
    one, two = (train(replace(KINDS[kind], threads=threads), data) for threads in (1, 2))
    weights, others = (training.policy_learner.policy.state_dict() for training in (one, two))
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    fresh = train(KINDS[kind], data, 0).policy_learner.policy.state_dict()
    assert not all(torch.equal(weights[name], fresh[name]) for name in weights)


def test_lessons_show_what_slipped_and_advise_what_mends_it(data):
    config = replace(SMALL, steps=9, imitation=replace(SMALL.imitation, slips=0.5, batch=16, steps=8))
    lessons = train(config, data, 1).lessons
    space = config.make_renderer(1).actions
    corrected, placed = (lessons.advice[..., 0] == word for word in (1, PLACE))
    assert 0.1 < corrected.float().mean() < 0.4
    assert placed.any(1).all()
    np.testing.assert_array_equal(space.canonical(lessons.advice.numpy()), lessons.advice)
    wrong = (lessons.advice != lessons.actions).any(2)
    assert torch.equal(wrong[:, :-1], corrected[:, 1:])


def test_random_scenes_are_learnt(data):
    config = replace(
        SMALL,
        steps=3,
        renderer=ScenesSettings(canvas=32, grid=4, sizes=(0.4,), levels=2),
        resolution=32,
        policy=PolicyConfig(channels=16, hidden=64, noise=2),
        learning=LearningConfig(learning_rate=2e-3, entropy_cost=0.0),
        imitation=replace(SMALL.imitation, batch=16, steps=16),
    )
    training = train(config, data, 0)
    for update in range(25):
        training.update(update / 25)
    policy, lessons = training.policy_learner.policy, training.lessons
    observation, advice = lessons.sample(64, torch.Generator().manual_seed(0))
    told = policy.evaluate(observation, advice).log_prob.mean()
    other = observation._replace(target=observation.target.roll(1, dims=1))
    assert policy.evaluate(other, advice).log_prob.mean() < told - 0.5


# --- Search --------------------------------------------------------------------------------------------------------


def placement(goals: np.ndarray, programs: np.ndarray, proposer=None, score=negative_mse, tries=16) -> ObjectRefinement:
    """What refines ``programs`` int64[B, T, P]."""
    renderer = Scenes(batch=len(goals))
    episodes = EpisodeBatch.empty(replace(PRESETS["scenes"], steps=programs.shape[1]), renderer)
    episodes.aim(torch.from_numpy(goals))
    actions = torch.from_numpy(programs).transpose(0, 1)
    proposer = proposer or ResidualProposals(renderer.actions)
    refined = refine(renderer, Simulator(renderer, tries, 1, score), episodes, actions, proposer)
    assert isinstance(refined, ObjectRefinement)
    return refined


def shown(actions: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(show(Scenes(batch=actions.shape[1]), actions.transpose(0, 1).numpy()))


def counted(actions: torch.Tensor) -> torch.Tensor:
    return (actions[..., 0] == PLACE).sum(0)


def nothing(count: int, steps: int = 7) -> np.ndarray:
    programs = np.zeros((count, steps, 7), np.int64)
    programs[..., 0] = SKIP
    return programs


@pytest.mark.parametrize("score", [negative_mse, lambda canvases, goals: negative_mse(canvases, goals)])
def test_refinement_never_gets_worse_and_finds_objects_that_are_missing(data, score):
    refined, random = placement(data.images[:6], nothing(6), score=score), torch.Generator().manual_seed(0)
    last = first = refined.scores
    for _ in range(12):
        refined.sweep(random)
        assert (refined.scores >= last).all()
        last = refined.scores
    assert last.mean() > 0.4 * first.mean()
    assert torch.equal(refined.canvas, shown(refined.actions))
    torch.testing.assert_close(refined.scores, negative_mse(refined.canvas, refined.goals))


def test_objects_that_nobody_sees_are_left_out_and_then_it_is_finished(data):
    twins = np.concatenate([data.programs[:8, :1], data.programs[:8]], axis=1)
    refined = placement(data.images[:8], twins)
    refined.run(3, torch.Generator().manual_seed(0))
    assert refined.finished.float().mean() >= 0.5
    assert (refined.scores > -1e-4).all()
    assert (counted(refined.actions) < counted(torch.from_numpy(twins).transpose(0, 1))).all()


def test_a_finished_picture_stays_as_it_is_and_is_not_rendered_again(data):
    class Silent:
        def act(self, observation, memory, generator, *, count, verb=None):
            raise AssertionError("nothing is left to propose")

    refined, random = placement(data.images[:4], data.programs[:4]), torch.Generator().manual_seed(0)
    for _ in range(2):
        refined.sweep(random)
    assert refined.finished.all()
    actions, refined.proposer = refined.actions.clone(), Silent()
    refined.sweep(random)
    assert torch.equal(refined.actions, actions)
    assert torch.equal(refined.canvas, shown(actions))


def test_what_is_unfinished_goes_on_alone(data):
    programs = data.programs[:6].copy()
    programs[2], programs[5] = nothing(1, steps=5)[0], nothing(1, steps=5)[0]
    refined = placement(data.images[:6], programs)
    before = refined.scores
    sweeps = []
    refined.sweep = lambda *given: (sweeps.append(1), ObjectRefinement.sweep(refined, *given))
    refined.run(2, torch.Generator().manual_seed(0))
    assert refined.finished[[0, 1, 3, 4]].all()
    assert (refined.scores[[2, 5]] > before[[2, 5]]).all()
    assert len(sweeps) <= 4
    assert torch.equal(refined.canvas, shown(refined.actions))
    torch.testing.assert_close(refined.scores, negative_mse(refined.canvas, refined.goals))


def test_a_large_object_takes_the_place_of_several_that_explain_it(data):
    """Eight small cubes cannot become the large one by changing one at a time."""
    large = np.array([[[PLACE, 0, 16 * 8 + 8, 2, 3, 1, 0]]])
    cells = [16 * row + column for row in (6, 8, 10) for column in (6, 8, 10)][:8]
    small = np.array([[[PLACE, 0, cell, 0, 3, 1, 0] for cell in cells]])
    refined = placement(show(Scenes(), large), small)
    refined.run(10, torch.Generator().manual_seed(0))
    assert refined._perfect(refined.scores).all()
    np.testing.assert_array_equal(refined.actions[0, 0], large[0, 0])
    assert counted(refined.actions).tolist() == [1]


def test_a_proposer_sees_the_picture_without_the_object_and_the_last_of_the_others(data, monkeypatch):
    seen = []

    class Spy:
        def act(self, observation, memory, generator, *, count, verb=None):
            seen.append(observation)
            return ResidualProposals(Scenes().actions).act(observation, memory, generator, count=count, verb=verb)

    programs = data.programs[:5]
    refined = placement(data.images[:5], programs, Spy())
    actions = torch.from_numpy(programs).transpose(0, 1)
    refined.renderer.reset()
    for action in actions[1:]:
        refined.renderer.step(action.numpy())
    refined._propose(actions, 0, torch.Generator().manual_seed(0))
    for i, program in enumerate(programs):
        others, renderer = program[1:], Scenes()
        picture = show(renderer, others[None])[0]
        np.testing.assert_array_equal(np.round(255 - seen[0].ink[i].permute(1, 2, 0).numpy() * 255), picture)
        placed = others[others[:, 0] == PLACE]
        np.testing.assert_array_equal(seen[0].previous[i], placed[-1] if len(placed) else np.zeros(7))
        np.testing.assert_array_equal(seen[0].pen[i], renderer.pen()[0])
        assert seen[0].step[i] == pytest.approx(len(placed) / 5)


def test_an_object_that_hardly_shows_is_not_worth_its_place(data, monkeypatch):
    monkeypatch.setattr("limner.worlds.scenes.refinement.PRICE", 1.0)
    refined = placement(data.images[:4], data.programs[:4])
    refined.sweep(torch.Generator().manual_seed(0))
    assert (counted(refined.actions) == 0).all()


def test_only_objects_are_proposed(agent, data):
    renderer = Scenes(batch=4)
    episodes = EpisodeBatch.empty(agent.config, renderer)
    episodes.aim(torch.from_numpy(data.images[:4]))
    acted = agent.policy.act(observe(episodes, 0), None, torch.Generator().manual_seed(0), count=50, verb=PLACE)
    assert (acted.actions[:, 0] == PLACE).all()
    assert len(acted.actions.unique(dim=0)) > 100
    free = agent.policy.act(observe(episodes, 0), None, torch.Generator().manual_seed(0), count=50)
    assert len(free.actions[:, 0].unique()) == 3


def test_a_program_of_one_action_is_refined_too(data):
    refined = placement(data.images[:3], nothing(3, steps=1))
    before = refined.scores
    for _ in range(4):
        refined.sweep(torch.Generator().manual_seed(0))
    assert (refined.scores > before).any()


# --- Drawing and measuring -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agent(data, tmp_path_factory):
    config = replace(SMALL, renderer=ScenesSettings(), temperature=0.0)
    return load_agent(str(save_checkpoint(tmp_path_factory.mktemp("run"), train(config, data), {})))


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_an_agent_draws_scenes_and_search_comes_closer(plan, agent, data):
    goals = data.images[:3]
    (alone,), (found,) = (draw(agent, goals, search, plan=plan) for search in (0.0, 0.5))
    errors = [np.square(part.canvases / 255 - goals / 255).mean() for part in (alone, found)]
    assert errors[1] < 0.9 * errors[0]
    for i, program in enumerate(found.programs):
        np.testing.assert_array_equal(execute(program), found.canvases[i])


def test_structure_is_measured_where_programs_are_known(agent, data, monkeypatch):
    result = reconstruct(agent, data, limit=10)
    assert result.structure.scenes == 10
    assert 0 <= result.structure.count_right <= 1
    empty = Scenes().canvas() / 255
    assert result.likeness.empty_mse == pytest.approx(np.square(result.goals / 255 - empty).mean())
    spread = data.spread(10)
    np.testing.assert_array_equal(spread.programs, data.programs[::4])
    monkeypatch.setattr("limner.inference.evaluate.draw", lambda *given, **more: [right(agent, spread)])
    exact = reconstruct(agent, spread)
    assert exact.likeness.mse == 0
    assert (exact.structure.count_right, exact.structure.colour_right, exact.structure.cells_apart) == (1, 1, 0)
    assert reconstruct(agent, scenes.ArrayDataset("pictures", spread.images)).structure is None


def right(agent, data):
    """Drawings of ``data`` that are as they should be."""
    (drawings,) = draw(agent, data.images)
    programs = [replace(program, actions=own) for program, own in zip(drawings.programs, data.programs, strict=True)]
    return replace(drawings, canvases=data.images, programs=programs)


def test_a_large_picture_needs_an_agent_that_paints(agent):
    with pytest.raises(ValueError, match="builds scenes: a large picture needs one that paints"):
        canvas_shape(agent, 2)
