"""Shipping an agent: its card tells how it was trained, from the folders of the runs alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripts import load_script

from limner.agents.agent import load_agent
from limner.cli.train import read
from limner.data import load_dataset
from limner.programs.program import Program, save_programs
from limner.training import make_trainer
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import AgentExpert, FileExpert, ImitationConfig, RandomExpert
from limner.training.presets import PRESETS
from limner.training.saving import save_checkpoint
from limner.worlds.toy.renderer import ToySettings

script = load_script("recipes/ship_agent.py")


def write_run(folder, config, source, updates=1):
    """The folder of a run that stopped after so many updates."""
    trainer = make_trainer(config, source)
    for i in range(updates):
        trainer.update(i / updates)
    save_checkpoint(folder / "checkpoints", trainer, {"minutes": 3.0})
    (folder / "config.json").write_text(json.dumps(config.to_dict()))


@pytest.mark.parametrize("name", PRESETS)
def test_the_command_of_a_preset_is_its_name(name):
    assert script.command(PRESETS[name].config, Path("runs/x")) == f"limner train {name} --out runs/x"


def test_a_command_names_what_differs_and_gives_the_configuration_of_the_run(tiny):
    base = PRESETS["mnist-reconstruct"].config
    run = replace(base.run, data="omniglot:-Latin,-Syriac_(Estrangelo)", episodes=64, minutes=0.5)
    paper = PRESETS["mnist-paper"].config
    free = replace(base.agent, conditional=False)
    configs = {
        "--algorithm distance": DistanceConfig(base.agent, run),
        "--no-conditional": replace(base, agent=free),
        "--expert random": replace(base, expert=RandomExpert()),
        "--expert.agent runs/y": replace(base, expert=AgentExpert("runs/y")),
        "--expert.path x.jsonl": ImitationConfig(free, expert=FileExpert("x.jsonl")),
        "--critic.replay 7": replace(paper, critic=replace(paper.critic, replay=7)),
        "--renderer.sizes 1.0 3.5": replace(
            tiny, agent=replace(tiny.agent, renderer=replace(tiny.agent.renderer, sizes=(1.0, 3.5)))
        ),
        "limner train toy": replace(tiny, agent=replace(tiny.agent, renderer=ToySettings())),
        "--data 'omniglot:-Latin,-Syriac_(Estrangelo)'": replace(base, run=run),
        "--learning.clip None": replace(tiny, learning=replace(tiny.learning, clip=None)),
    }
    for words, config in configs.items():
        command = script.command(config, Path("runs/x"))
        assert words in command
        assert read(script.shlex.split(command)[2:]).config == config


def test_a_card_lists_the_commands_of_all_runs_behind_an_agent(tiny, source, conditional_config, tmp_path):
    first, expert, prior, last = (tmp_path / name for name in ("first", "expert", "prior", "last"))
    write_run(first, conditional_config, source)
    write_run(expert, replace(conditional_config, run=replace(tiny.run, start=str(first))), source, 2)
    agent = replace(conditional_config.agent, conditional=False)
    settings, rows = agent.make_renderer(1).settings(), agent.actions.sample(np.random.default_rng(0), (40, 3))
    programs = [Program(settings, row, agent="first", title=f"mnist-5k train {i}") for i, row in enumerate(rows)]
    save_programs(tmp_path / "programs.jsonl", programs)
    imitation = replace(conditional_config, agent=agent)
    write_run(prior, replace(imitation, expert=FileExpert(str(tmp_path / "programs.jsonl"))), source)
    run = replace(tiny.run, start=str(prior), frames=24)
    write_run(last, replace(imitation, run=run, expert=AgentExpert(str(expert))), source)

    steps = list(dict.fromkeys(script.history(last)))
    outs = [step.rpartition("--out ")[2] if "limner train" in step else step for step in steps]
    assert outs == [
        f"{first}`, stopped after 3 minutes",
        f"`{tmp_path}/programs.jsonl`: 40 programs by `first` of the pictures of `mnist-5k train`",
        f"{prior}`, stopped after 3 minutes",
        f"{expert}`, stopped after 3 minutes",
        f"{last}`",
    ]


def test_an_agent_is_shipped_with_its_card_and_draws_as_it_is_told(conditional_config, source, tmp_path):
    write_run(tmp_path / "first", conditional_config, source)
    second = replace(conditional_config, run=replace(conditional_config.run, start=str(tmp_path / "first")))
    write_run(tmp_path / "run", second, source)
    ship = script.Ship(tmp_path / "run", "new", temperature=0.5, tests=("mnist-5k 0 4",), limits="none.", out=tmp_path)
    script.main(ship)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"agent.safetensors", "manifest.json", "card.md"}
    agent = load_agent(str(tmp_path / "new"))
    assert agent.config == replace(conditional_config.agent, temperature=0.5)
    assert json.loads((tmp_path / "new" / "manifest.json").read_text())["schema"] == 2
    card = (tmp_path / "new" / "card.md").read_text()
    assert card.startswith(
        "# Model card: new\n\nA conditional agent: it draws the pictures that it is shown, 3 actions"
    )
    assert f"--out {tmp_path}/run`" in card
    assert "| `mnist-5k` | 4 | none | 0." in card
    rows = card.partition("it went through, 4 pictures of `mnist-5k` without search:")[2].splitlines()[4:6]
    expected = [f"| `{tmp_path}/{name}` | imitation | 3 | 0." for name in ("first", "run")]
    assert [row[: len(start)] for row, start in zip(rows, expected, strict=True)] == expected
    assert card.endswith("**Limits**: none.\n")


def test_the_card_of_an_agent_of_few_pictures_says_how_little_its_figures_mean(tiny, source, tmp_path):
    (tmp_path / "digits").mkdir()
    for i, digit in enumerate(load_dataset().spread(60).pictures(28)):
        Image.fromarray(digit[..., 0]).save(tmp_path / "digits" / f"{i:03}.png")
    write_run(tmp_path / "run", replace(tiny, run=replace(tiny.run, data=f"folder:{tmp_path}/digits")), source)
    script.main(script.Ship(tmp_path / "run", "own", out=tmp_path))
    card = (tmp_path / "own" / "card.md").read_text()
    assert "\n20 pictures against 20 test pictures, k = 2, on the features" in card
    assert "There are few pictures: figures are of 20 drawings against 20 real pictures, 14 of which" in card
