from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.programs.execution import execute_all
from limner.programs.program import Program
from limner.training.imitation.experts import FIRST_PROGRAMS
from limner.training.imitation.trainer import ImitationTrainer
from limner.training.saving import save_checkpoint
from limner.worlds.observation import Observation, preprocess


def with_agent(config, **changes):
    return replace(config, agent=replace(config.agent, **changes))


def with_expert(config, **changes):
    return replace(config, expert=replace(config.expert, **changes))


def painted(trainer, actions):
    """The pictures of programs ``int32[N, T, P]``, preprocessed."""
    settings = trainer.runtime.actor.renderer.settings()
    pictures = np.stack(execute_all([Program(settings, rows.numpy()) for rows in actions]))
    return preprocess(torch.from_numpy(pictures), trainer.config.agent.resolution)


@pytest.mark.parametrize("kind", ["random", "search", "joint"])
def test_the_actions_of_augmented_and_random_programs_paint_their_targets(kind, request, source):
    config = request.getfixturevalue(f"{kind}_config")
    trainer = ImitationTrainer(with_expert(config, augmentation=1.0) if kind != "random" else config, source)
    trainer.update(0.0)
    rows = trainer.runtime.batch.rows
    torch.testing.assert_close(painted(trainer, rows["expert"]), rows["target"] / 255, atol=0.51 / 255, rtol=0)
    assert len(torch.unique(rows["target"], dim=0)) == len(trainer.runtime.batch)


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", ["search", "joint", "random", "agent"])
def test_so_many_actions_are_perturbed_and_the_canvas_shows_it(kind, noise, source, request):
    config = with_expert(request.getfixturevalue(f"{kind}_config"), action_noise=noise)
    trainer = ImitationTrainer(replace(config, steps_per_update=16), source)
    trainer.update(0.0)
    rows = trainer.runtime.batch.rows
    perturbed = (rows["actions"] != rows["expert"]).any(-1)
    assert 0.7 * noise <= perturbed.float().mean() <= noise  # a perturbation may change nothing
    before_last = painted(trainer, rows["actions"][:, :-1])
    torch.testing.assert_close(before_last, rows["observed"][:, -1] / 255, atol=0.51 / 255, rtol=0)


@pytest.mark.parametrize("kind", ["search", "joint"])
def test_what_is_found_is_kept_with_its_picture(kind, source, request):
    """Without augmentation and noise, demonstrations are the programs found, each for the picture it was found for."""
    config = with_expert(request.getfixturevalue(f"{kind}_config"), augmentation=0.0, action_noise=0.0, capacity=24)
    trainer = ImitationTrainer(config, source)
    for _ in range(3):
        trainer.update(0.0)
    found = trainer.runtime.actor.expert.found
    assert found.added == 4 * config.run.episodes
    programs = found.all("programs")
    assert (programs != 0).any(-1).any(-1).all()
    pictures = preprocess(source.take(found.all("rows")), config.agent.resolution)
    drawn = painted(trainer, programs)
    empty = pictures.square().mean((1, 2, 3))
    other = (drawn - pictures.roll(1, 0)).square().mean((1, 2, 3))
    closer = (drawn - pictures).square().mean((1, 2, 3))
    assert closer.mean() < 0.9 * empty.mean()
    assert closer.mean() < 0.7 * other.mean()
    last = {rows.numpy().tobytes() for rows in programs}
    demonstrated = trainer.runtime.batch.all("expert")
    assert sum(rows.numpy().tobytes() in last for rows in demonstrated) > len(demonstrated) / 4


def test_programs_are_mirrored_with_their_pictures(joint_config, source):
    config = with_expert(joint_config, augmentation=0.0, action_noise=0.0, mirror=True)
    trainer = ImitationTrainer(config, source)
    trainer.update(0.0)
    rows = trainer.runtime.batch.rows
    targets = rows["target"].float() / 255
    drawn = painted(trainer, rows["expert"])
    turned = torch.stack([change(targets) for change in (lambda x: x.flip(2), lambda x: x.flip(3), lambda x: x.mT)])
    distances = (drawn - torch.cat([targets[None], turned])).square().mean((1, 2, 3, 4))
    assert distances.argmin() == 0
    found = trainer.runtime.actor.expert.found
    known = preprocess(source.take(found.all("rows")), config.agent.resolution)
    straight = (targets[:, None] - known).square().mean((2, 3, 4)).amin(1) < 1e-4
    assert 0 < straight.float().mean() < 0.5


def test_later_programs_of_a_prior_descend_from_those_of_similar_pictures(search_config, source):
    """With no sweeps they are the very programs, and there are no more than residual proposals made."""
    config = with_agent(search_config, conditional=False, first_action_temperature=0.8)
    config = with_expert(config, augmentation=0.0, action_noise=0.0, capacity=256, sweeps=0)
    trainer = ImitationTrainer(replace(config, run=replace(config.run, episodes=32)), source)
    for _ in range(5):
        trainer.update(0.0)
    found = trainer.runtime.actor.expert.found
    assert found.added == 6 * 32
    programs = found.all("programs")
    first, later = programs[:FIRST_PROGRAMS], programs[FIRST_PROGRAMS:]
    pictures = preprocess(source.take(found.all("rows")), config.agent.resolution).flatten(1)
    nearest = torch.cdist(pictures[FIRST_PROGRAMS:], pictures[:-32])
    for i, row in enumerate(later[:32]):
        assert torch.equal(row, first[nearest[i, :FIRST_PROGRAMS].argmin()])
    assert {row.numpy().tobytes() for row in later} <= {row.numpy().tobytes() for row in first}
    assert len(torch.unique(later, dim=0)) > 8


@pytest.mark.parametrize("conditional", [True, False])
def test_augmented_programs_are_perturbed_only_where_their_picture_is_the_target(conditional, search_config, source):
    """Without a target, a stroke that no other makes right would be learnt as right."""
    config = with_expert(with_agent(search_config, conditional=conditional), augmentation=1.0, action_noise=0.0)
    trainer = ImitationTrainer(config, source)
    trainer.update(0.0)
    widths = [trainer.runtime.actor.renderer.actions.index(name) for name in ("size", "pressure")]
    known = {rows.numpy().tobytes() for rows in trainer.runtime.actor.expert.found.all("programs")[..., widths]}
    augmented = [rows.numpy().tobytes() in known for rows in trainer.runtime.batch.all("expert")[..., widths]]
    assert all(augmented) != conditional


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": 4}, "program 0 has 3 actions, this run has horizon=4"),
        ({"brush": "classic/calligraphy"}, "program 0 has renderer.brush 'classic/pen'"),
    ],
)
def test_programs_of_another_run_are_refused(change, message, file_config, source):
    if "brush" in change:
        change = {"renderer": replace(file_config.agent.renderer, **change)}
    with pytest.raises(ValueError, match=message):
        ImitationTrainer(with_agent(file_config, **change), source)


def test_an_empty_file_of_programs_is_refused(file_config, source, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"none\.jsonl holds no program"):
        ImitationTrainer(with_expert(file_config, path=str(tmp_path / "none.jsonl")), source)


def test_the_programs_of_a_file_are_taken_in_turn(file_config, source):
    trainer = ImitationTrainer(file_config, source)
    demonstrations = trainer.runtime.take()
    demonstrated = [rows.numpy().tobytes() for rows in demonstrations.all("expert")]
    wanted = [rows.int().numpy().tobytes() for rows in trainer.runtime.actor.expert.programs]
    assert sorted(demonstrated) == sorted(wanted)
    assert torch.equal(demonstrations.all("expert"), demonstrations.all("actions"))


@pytest.mark.parametrize("conditional", [True, False])
def test_an_agent_is_asked_about_the_canvas_as_it_is(conditional, source, agent_config):
    """Also after a perturbed action: the expert's is what the agent would do there, for the picture that it draws."""
    trainer = ImitationTrainer(with_agent(agent_config, conditional=conditional), source)
    expert, done = trainer.runtime.actor.expert.actions()
    observation = Observation(*(x.flatten(0, 1) for x in trainer.runtime.actor.expert.drawings.observations()))
    answer = trainer.runtime.actor.expert.expert.policy.act(
        observation, None, torch.Generator(), temperature=0.0
    ).actions
    assert torch.equal(answer, expert.flatten(0, 1))
    assert not torch.equal(done, expert)
    trainer.update(0.0)
    assert trainer.runtime.batch.rows["target"].shape[1] == conditional


def test_an_agent_that_cannot_be_an_expert_is_refused(source, agent_config, tmp_path):
    other = replace(agent_config.agent.renderer, brush="classic/calligraphy")
    with pytest.raises(ValueError, match=r"renderer\.brush 'classic/pen': this run has 'classic/calligraphy'"):
        ImitationTrainer(with_agent(agent_config, renderer=other), source)
    alone = with_agent(agent_config, conditional=False)
    folder = str(save_checkpoint(tmp_path / "alone", ImitationTrainer(alone, source), {}))
    with pytest.raises(ValueError, match=r"expert\.agent is '.*alone/00000000', which is unconditional"):
        ImitationTrainer(with_expert(agent_config, agent=folder), source)
