from dataclasses import replace

import pytest
import torch
from toy_episodes import episodes_of_toy, seeded

from limner.training.actor_critic import others_return, reward
from limner.training.config import RewardConfig
from limner.worlds.paint.settings import JUMP, PAINT, VIA, PaintSettings, paint_actions


@pytest.mark.parametrize("form", ["differences", "final"])
@pytest.mark.parametrize(("stroke", "empty"), [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.3, 2.0)])
def test_rewards_are_scores_less_penalties(form, stroke, empty):
    renderer, episodes = episodes_of_toy()
    scores = torch.randn(5, 8, generator=seeded())
    config = RewardConfig(form=form, stroke_penalty=stroke, empty_penalty=empty)
    rewards = reward(scores, episodes, renderer.actions, config)
    flags = episodes.actions[..., 0].tolist()
    starts = 0
    for b in range(8):
        for t in range(4):
            if form == "differences":
                expected = scores[t + 1, b] - scores[t, b]
            else:
                expected = scores[4, b] if t == 3 else torch.zeros(())
            if flags[t][b] == 1 and (t == 0 or flags[t - 1][b] == 0):
                expected = expected - stroke
                starts += 1
            if t == 3 and b == 0:  # the only empty picture
                expected = expected - empty
            assert rewards[t, b].item() == pytest.approx(expected.item(), abs=1e-6)
    assert 0 < starts < 28
    assert (episodes.final.flatten(1).sum(1) == 0).tolist() == [True] + [False] * 7


@pytest.mark.parametrize("form", ["differences", "final"])
@pytest.mark.parametrize(("stroke", "empty"), [(0.0, 0.0), (0.3, 2.0)])
def test_another_candidate_is_worth_what_the_episode_is_paid_with_it(form, stroke, empty):
    renderer, episodes = episodes_of_toy(candidates=3)
    episodes.others_final[1, 3, 1] = 0  # an empty picture
    scores, others = torch.randn(5, 8, generator=seeded()), torch.randn(4, 8, 2, generator=seeded(1))
    config = RewardConfig(form=form, stroke_penalty=stroke, empty_penalty=empty)
    returns = others_return(others, scores, episodes, renderer.actions, config)
    assert returns.shape == (4, 8, 2)
    for t in range(4):
        for k in range(2):
            actions, observed, with_it = episodes.actions.clone(), episodes.observed.clone(), scores.clone()
            actions[t], observed[-1], with_it[-1] = (
                episodes.others[t, :, k],
                episodes.others_final[t, :, k],
                others[t, :, k],
            )
            changed = replace(episodes, actions=actions, observed=observed)
            expected = reward(with_it, changed, renderer.actions, config).sum(0)
            torch.testing.assert_close(returns[t, :, k], expected)


def test_a_control_point_does_not_lift_the_pen():
    _, episodes = episodes_of_toy()
    spline = paint_actions(PaintSettings(space="spline", grid=4, sizes=(2,), pressures=1, levels=2))
    flags = torch.tensor([[JUMP, VIA, VIA, PAINT], [VIA, PAINT, VIA, PAINT], [PAINT, JUMP, PAINT, VIA]])
    actions = torch.zeros(4, 3, len(spline), dtype=torch.int64)
    actions[..., 0] = flags.T
    paid = reward(torch.zeros(5, 3), replace(episodes, actions=actions), spline, RewardConfig(stroke_penalty=1.0))
    assert (-paid.T).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0]]


def test_a_space_without_a_verb_pays_no_stroke_penalty():
    _, episodes = episodes_of_toy()
    without_verb = type(paint_actions())(paint_actions(PaintSettings(grid=4)).parts[1:2])
    scores = torch.randn(5, 8, generator=seeded())
    paid = reward(scores, episodes, without_verb, RewardConfig(stroke_penalty=1.0))
    torch.testing.assert_close(paid, scores[1:] - scores[:-1])
