"""The Gymnasium environments: registration, episodes, rewards, presets, and what others do with them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from copy import deepcopy
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import limner  # noqa: F401 (registers the environments)
from limner.environments.gymnasium import PaintEnv, PaintVectorEnv
from limner.programs.execution import execute
from limner.worlds import make_renderer
from limner.worlds.toy.renderer import Toy, ToySettings

PAINT = {"id": "limner/Paint-v0"}
IDS = [
    pytest.param({"id": "limner/Toy-v0"}, id="toy"),
    pytest.param({"id": "limner/Toy-v0", "canvas": 12, "grid": 3, "steps": 1}, id="toy-one-step"),
    pytest.param(PAINT, id="paint"),
    pytest.param({**PAINT, "color": True, "brush": "classic/calligraphy"}, id="paint-color"),
    pytest.param({**PAINT, "color": True, "ground": "transparent"}, id="paint-transparent"),
    pytest.param({**PAINT, "preset": "deepmind-2018"}, id="paint-deepmind-2018"),
]


def darkness(canvas):
    return 1 - canvas.mean(axis=(1, 2, 3)) / 255


def play(env, actions):
    """[(observation, reward, terminated)] of one episode, the reset first."""
    steps = [(env.reset()[0], 0.0, False)]
    for action in actions:
        observation, reward, terminated, truncated, _ = env.step(action)
        assert not np.any(truncated)
        steps.append((observation, reward, terminated))
    return steps


def sample(env, steps, seed=0):
    return env.unwrapped.actions.sample(np.random.default_rng(seed), steps)


@pytest.fixture
def env():
    return PaintEnv(renderer="toy", steps=3, canvas=16, grid=4)


# --- Gymnasium ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", IDS)
def test_gymnasium_checker_has_no_complaint_and_no_warning(options):
    check_env(gymnasium.make(**options).unwrapped)


@pytest.mark.parametrize("options", IDS)
def test_default_wrappers_of_make(options):
    env = gymnasium.make(**options, render_mode="rgb_array")
    horizon = int(env.observation_space["step"].n) - 1
    assert play(env, sample(env, horizon))[-1][2] is True
    assert env.render().shape == (*env.observation_space["canvas"].shape[:2], 3)


def test_make_without_importing_limner_and_without_torch():
    code = """
import sys, gymnasium
env = gymnasium.make("limner:limner/Toy-v0")
env.reset()
vector = gymnasium.make_vec("limner/Toy-v0", num_envs=2)
vector.reset()
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_make_vec_gives_the_lock_step_environment():
    vector = gymnasium.make_vec("limner/Toy-v0", num_envs=8, steps=5)
    assert isinstance(vector, PaintVectorEnv)
    assert vector.num_envs == 8
    assert vector.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    assert isinstance(gymnasium.make_vec("limner/Toy-v0", num_envs=2, vectorization_mode="sync"), SyncVectorEnv)


def test_spec_survives_json():
    env = gymnasium.make("limner/Toy-v0", steps=5, canvas=16, grid=4, sizes=(1.5, 3))
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    actions = sample(env, 5)
    assert np.array_equal(play(env, actions)[-1][0]["canvas"], play(again, actions)[-1][0]["canvas"])


def test_episode_statistics_of_gymnasium():
    vector = gymnasium.make_vec("limner/Toy-v0", num_envs=3, steps=4, reward=darkness)
    vector = gymnasium.wrappers.vector.RecordEpisodeStatistics(vector)
    actions = sample(vector, (4, 3))
    vector.reset()
    for action in actions:
        observation, rewards, *_, info = vector.step(action)
    assert info["episode"]["l"].tolist() == [4, 4, 4]
    assert np.allclose(info["episode"]["r"], rewards)
    assert np.allclose(rewards, darkness(observation["canvas"]))


# --- an episode --------------------------------------------------------------------------------------------------


def test_first_observation(env):
    observation, info = env.reset()
    assert set(observation) == {"canvas", "step", "pen"}
    assert observation["canvas"].shape == (16, 16, 1)
    assert (observation["canvas"] == 255).all()
    assert observation["step"] == 0
    assert observation["pen"].tolist() == [0, 0]
    assert info == {}


def test_action_parts_are_in_the_order_of_their_names(env):
    assert env.actions.names == ("flag", "end", "control", "size", "pressure")
    assert tuple(env.action_space.nvec) == env.actions.sizes == (2, 16, 16, 2, 4)


def test_pen_is_x_y_of_the_end_cell(env):
    env.reset()
    observation, *_ = env.step([0, 1 * 4 + 2, 0, 0, 0])
    assert observation["pen"].tolist() == [(2 + 0.5) / 4, (1 + 0.5) / 4]


def test_terminates_at_the_horizon_and_then_needs_a_reset(env):
    steps = play(env, sample(env, 3))
    assert [terminated for _, _, terminated in steps] == [False, False, False, True]
    assert [int(observation["step"]) for observation, *_ in steps] == [0, 1, 2, 3]
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(sample(env, 1)[0])


@pytest.mark.parametrize("call", ["step", "render"])
def test_needs_a_reset_first(env, call):
    with pytest.raises(ResetNeeded, match=f"before {call}"):
        env.step([0, 0, 0, 0, 0]) if call == "step" else env.render()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([2, 0, 0, 0, 0], "'flag' is 2, must be in 0 … 1"),
        ([1, 16, 0, 0, 0], "'end' is 16, must be in 0 … 15"),
        ([1, 0, -1, 0, 0], "'control' is -1"),
        ([1, 0, 0, 0], r"shape \(4,\), must be \(5,\): parts \('flag',"),
        ([[1, 0, 0, 0, 0]], r"shape \(1, 5\)"),
        ([1.0, 0, 0, 0, 0], "must be integers"),
        (3, r"shape \(\)"),
    ],
)
def test_bad_actions_are_named_and_change_nothing(env, action, message):
    actions = sample(env, 3)
    expected = play(env, actions)[-1][0]["canvas"]
    env.reset()
    env.step(actions[0])
    with pytest.raises(ValueError, match=message):
        env.step(action)
    env.step(actions[1])
    assert np.array_equal(env.step(actions[2])[0]["canvas"], expected)


def test_program_repeats_the_picture(env):
    actions = sample(env, 3)
    env.reset()
    assert len(env.program()) == 0
    for t, action in enumerate(actions, start=1):
        observation, *_ = env.step(action)
        program = env.program()
        assert np.array_equal(program.actions, actions[:t])
        assert np.array_equal(execute(program), observation["canvas"])
    env.reset()
    assert len(program) == 3


def test_vector_programs():
    vector = PaintVectorEnv(2, "toy", steps=3)
    actions = sample(vector, (3, 2))
    play(vector, actions)
    assert [np.array_equal(p.actions, actions[:, i]) for i, p in enumerate(vector.programs())] == [True, True]


# --- copies ------------------------------------------------------------------------------------------------------


def pickled(subject):
    return pickle.loads(pickle.dumps(subject))


@pytest.mark.parametrize("done", range(4))
@pytest.mark.parametrize("duplicate", [deepcopy, pickled])
@pytest.mark.parametrize("make", [gymnasium.make, partial(gymnasium.make_vec, num_envs=2)], ids=["single", "vector"])
@pytest.mark.parametrize("options", [*IDS, pytest.param({"id": "limner/Scenes-v0", "canvas": 32}, id="scenes")])
def test_a_copy_goes_on_as_the_original(options, make, duplicate, done):
    env = make(**{**options, "steps": 4, "reward": darkness})
    actions = sample(env, (3, 2) if hasattr(env, "num_envs") else 3, seed=done)
    env.reset(seed=1)
    for action in actions[:done]:
        env.step(action)
    copy = duplicate(env)
    rests = []
    for one in (copy, env):
        rests.append([one.step(action) for action in actions[done:]])
        rests[-1] += [one.unwrapped.np_random.integers(2**62), one.reset(), one.step(actions[0])]
    assert data_equivalence(*rests, exact=True)


@pytest.mark.parametrize("brush", ["classic/pen", "classic/dry_brush", "classic/blend+paint"])
def test_an_unpickled_renderer_needs_no_brush_file_and_keeps_its_ground(brush, monkeypatch):
    """Brushes that are copied, that are replayed, and that read what they are replayed on."""
    renderer = make_renderer({"name": "paint", "brush": brush, "color": True}, 2, threads=2)
    rng = np.random.default_rng(0)
    renderer.load(rng.integers(0, 256, (2, 64, 64, 3), np.uint8))
    actions = renderer.actions.sample(rng, (6, 2))
    for action in actions[:3]:
        renderer.step(action)
    text = pickle.dumps((renderer, renderer.save()))
    monkeypatch.setattr("limner.worlds.paint.renderer.load_brush", None)
    again, state = pickle.loads(text)
    for action in actions[3:]:
        renderer.step(action)
        again.step(action)
    assert np.array_equal(again.canvas(), renderer.canvas())
    again.restore(state)
    for action in actions[3:]:
        again.step(action)
    assert np.array_equal(again.canvas(), renderer.canvas())


def test_a_pickle_of_another_version_is_refused():
    saved = make_renderer({"name": "paint"}).save().parts[0][0]
    tiles, draws, states, history, ground = saved.__getstate__()
    for wrong in [
        (tiles[:-1], draws, states, history, ground),
        (tiles, draws, states[4:], history, ground),
        (tiles, draws, states, history[:-3] + b"xx", ground),
        (tiles, draws, states, history, tiles[2:]),
    ]:
        with pytest.raises(ValueError, match="no saved canvas of this version"):
            type(saved).__new__(type(saved)).__setstate__(wrong)


# --- rewards -----------------------------------------------------------------------------------------------------


def test_reward_comes_once_at_the_end_from_the_final_canvases():
    seen = []

    def reward(canvas):
        seen.append(canvas)
        return darkness(canvas)

    vector = PaintVectorEnv(2, "toy", steps=3, reward=reward)
    steps = play(vector, sample(vector, (3, 2)))
    assert [np.any(rewards) for _, rewards, _ in steps] == [False, False, False, True]
    final, rewards, _ = steps[-1]
    assert len(seen) == 1
    assert np.array_equal(seen[0], final["canvas"])
    assert np.allclose(rewards, darkness(final["canvas"]))
    assert rewards[0] != rewards[1]


def test_reward_function_cannot_touch_the_observation():
    def reward(canvas):
        canvas[:] = 0
        return np.ones(1)

    env = PaintEnv("toy", steps=1, reward=reward)
    assert play(env, sample(env, 1))[-1][0]["canvas"].any()


def test_without_a_reward_it_is_0(env):
    assert all(reward == 0 for _, reward, _ in play(env, sample(env, 3)))


@pytest.mark.parametrize("bad", [1.0, [1.0, 2.0], [[1.0]], [np.nan], [np.inf]], ids=str)
def test_bad_rewards(bad):
    env = PaintEnv("toy", steps=1, reward=lambda canvas: bad)
    env.reset()
    with pytest.raises(ValueError, match="reward must return 1 finite numbers"):
        env.step(sample(env, 1)[0])


# --- rendering ---------------------------------------------------------------------------------------------------


def test_grey_becomes_rgb():
    env = PaintEnv("toy", steps=1, render_mode="rgb_array")
    canvas = play(env, sample(env, 1))[-1][0]["canvas"]
    assert np.array_equal(env.render(), np.repeat(canvas, 3, axis=-1))


def test_without_a_render_mode_nothing_is_rendered(env):
    env.reset()
    assert env.render() is None


def test_a_transparent_ground_is_shown_white():
    """Where white and transparent ground are painted alike, they look alike, but for the rounding of alpha."""
    pictures = []
    for ground in ("white", "transparent"):
        env = gymnasium.make(**PAINT, color=True, ground=ground, render_mode="rgb_array", steps=6)
        observation = play(env, sample(env, 6, seed=3))[-1][0]
        assert observation["canvas"].shape == (64, 64, 3 if ground == "white" else 4)
        pictures.append(env.render().astype(int))
    assert pictures[0].min() < 100
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_list_of_frames():
    env = gymnasium.make("limner/Toy-v0", steps=3, render_mode="rgb_array_list")
    play(env, sample(env, 3))
    assert len(env.render()) == 4


# --- the preset deepmind-2018 ------------------------------------------------------------------------------------


def test_deepmind_2018_has_19_actions_and_begins_with_the_mask_of_a_jump():
    env = gymnasium.make(**PAINT, preset="deepmind-2018", color=True)
    actions = sample(env, 19)
    steps = play(env, actions)
    assert [terminated for *_, terminated in steps] == [False] * 19 + [True]
    names = env.unwrapped.actions.names
    assert names == ("flag", "end", "control", "size", "pressure", "red", "green", "blue")
    assert steps[0][0]["mask"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    for action, (observation, *_) in zip(actions, steps[1:], strict=True):
        assert observation["mask"].tolist() == ([1] * 8 if action[0] else [1, 1, 0, 0, 0, 0, 0, 0])


def test_deepmind_2018_pen():
    """After a jump the release stores x = y, and a cell means its corner."""
    env = gymnasium.make(**PAINT, preset="deepmind-2018")
    env.reset()
    assert env.step([0, 3 * 32 + 8, 0, 0, 0])[0]["pen"].tolist() == [3 / 32, 3 / 32]
    assert env.step([1, 3 * 32 + 8, 0, 0, 0])[0]["pen"].tolist() == [8 / 32, 3 / 32]
    env = gymnasium.make(**PAINT)
    env.reset()
    assert env.step([0, 3 * 32 + 8, 0, 0, 0])[0]["pen"].tolist() == [8.5 / 32, 3.5 / 32]


# --- the vector environment --------------------------------------------------------------------------------------


def test_vector_environment_resets_together():
    vector = PaintVectorEnv(2, "toy", steps=2)
    play(vector, sample(vector, (2, 2)))
    with pytest.raises(ResetNeeded):
        vector.step(sample(vector, 2))
    with pytest.raises(ValueError, match="lock-step"):
        vector.reset(options={"reset_mask": np.array([True, False])})
    observation, _ = vector.reset(options={"reset_mask": np.array([True, True])})
    assert observation["step"].tolist() == [0, 0]


def test_vector_environment_names_the_bad_row():
    vector = PaintVectorEnv(3, "toy")
    vector.reset()
    actions = sample(vector, 3)
    actions[1, 3] = 9
    with pytest.raises(ValueError, match=r"action \(1,\): part 'size' is 9"):
        vector.step(actions)


def test_threads_change_nothing():
    actions = sample(gymnasium.make(**PAINT), (4, 5))
    one, two = (
        play(gymnasium.make_vec(**PAINT, num_envs=5, steps=4, threads=threads), actions)[-1][0]["canvas"]
        for threads in (1, 2)
    )
    assert np.array_equal(one, two)


# --- configurations ----------------------------------------------------------------------------------------------


def test_over_a_renderer_of_ones_own():
    settings = ToySettings(canvas=16, grid=4)
    env, same = PaintEnv(Toy(settings), steps=3), PaintEnv("toy", steps=3, canvas=16, grid=4)
    actions = sample(env, 3)
    assert np.array_equal(play(env, actions)[-1][0]["canvas"], play(same, actions)[-1][0]["canvas"])
    vector = PaintVectorEnv(4, Toy(settings, 4), steps=3)
    assert play(vector, sample(vector, (3, 4)))[-1][2].all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0, must be a whole number, at least 1"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"steps": True}, "steps is True"),
        ({"steps": "20"}, "steps is '20'"),
        ({"steps": 1, "preset": "deepmind-2018"}, "steps is 1, .* at least 2 .*the released environment"),
        ({"preset": "deepmind-2019"}, "preset .*deepmind-2019"),
        ({"grid": 65}, "grid .*64.* 65"),
        ({"grid": 1}, "grid .* 1"),
        ({"canvas": 0}, "canvas .*0"),
        ({"sizes": ()}, "sizes"),
        ({"sizes": (float("nan"),)}, "sizes"),
        ({"brush": "classic/no-such-brush"}, "no-such-brush"),
        ({"colour": True}, "colour"),
        ({"render_mode": "svg"}, "render_mode is 'svg'"),
        ({"reward": 3}, "reward is 3"),
        ({"renderer": "crayon"}, "unknown renderer 'crayon'"),
    ],
    ids=str,
)
def test_impossible_configurations_of_paint(options, message):
    for make in (PaintEnv, PaintVectorEnv):
        with pytest.raises(ValueError, match=message):
            make(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PaintVectorEnv(0, "toy"), "num_envs is 0, must be a whole number, at least 1"),
        (lambda: PaintVectorEnv(2.0, "toy"), "num_envs is 2.0"),
        (lambda: PaintEnv("toy", canvas=8, grid=9), "renderer.grid is 9: must be at most the canvas, 8"),
        (lambda: PaintEnv("toy", brush="classic/pen"), "unknown field renderer.brush"),
        (lambda: PaintEnv(Toy(batch=2)), "has 2 canvases, must have 1"),
        (lambda: PaintVectorEnv(3, Toy(batch=2)), "has 2 canvases, must have 3"),
        (lambda: PaintEnv(Toy(), grid=4), r"settings \['grid'\] given together with a ready renderer"),
    ],
)
def test_impossible_configurations(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- an outside learner ------------------------------------------------------------------------------------------


@pytest.fixture
def sb3():
    sb3 = pytest.importorskip("stable_baselines3", reason="needs stable-baselines3: pip install limner[dev]")
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the networks are small
    yield sb3
    torch.set_num_threads(threads)


@pytest.mark.parametrize("options", [PAINT, {**PAINT, "preset": "deepmind-2018", "color": True}], ids=["grey", "2018"])
def test_stable_baselines3_trains_unchanged(sb3, options):
    env = gymnasium.make(**options, steps=6, events=10, reward=darkness)
    learner = sb3.PPO("MultiInputPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=0, device="cpu")
    before = [weight.clone() for weight in learner.policy.parameters()]
    learner.learn(192)
    assert learner.num_timesteps == 192
    assert all(episode["l"] == env.observation_space["step"].n - 1 for episode in learner.ep_info_buffer)
    assert any(episode["r"] > 0 for episode in learner.ep_info_buffer)
    assert any(not old.equal(new) for old, new in zip(before, learner.policy.parameters(), strict=True))
    observation, _ = env.reset()
    action, _ = learner.predict(observation)
    assert env.action_space.contains(action)
