"""What the flags of ``limner train`` start from: a preset, perhaps with another algorithm, expert or world."""

import dataclasses
from typing import Any

from limner.cli.flags import replace_unchecked, unchecked


def preset_config(name: str, algorithm: str | None = None, expert: str | None = None, world: str | None = None) -> Any:
    """What the flags start from: a preset, or a world; with another algorithm, expert or world, if one is asked for.

    It is not checked: only the configuration that is made of it and the flags is.
    """
    from limner.agents.config import AgentConfig
    from limner.training import find_algorithm
    from limner.training.imitation.config import EXPERTS
    from limner.training.presets import PRESETS
    from limner.worlds import find_world

    if name in PRESETS:
        config: Any = PRESETS[name].config
    else:
        kind = find_algorithm(algorithm or "spiral")
        config = unchecked(kind, agent=unchecked(AgentConfig, renderer=find_world(name).settings_type()))
    if world is not None and world != config.agent.renderer.name:
        agent = replace_unchecked(config.agent, renderer=find_world(world).settings_type())
        config = replace_unchecked(config, agent=agent)
    if algorithm is not None and algorithm != config.algorithm:
        config = _converted(config, find_algorithm(algorithm))
    if expert is not None:
        if config.algorithm != "imitation":
            raise ValueError(f"--expert is {expert!r}: it is for --algorithm imitation, not {config.algorithm!r}")
        if expert != config.expert.name:
            config = replace_unchecked(config, expert=EXPERTS[expert]())
    return config


def _converted(config: Any, kind: type) -> Any:
    """A configuration of another algorithm, with the fields that both have, in sections too; others are defaults."""
    new = unchecked(kind, agent=config.agent)
    shared = {name: value for name, value in vars(config).items() if name in vars(new)}
    for name, value in shared.items():
        section = getattr(new, name)
        if type(value) is not type(section) and dataclasses.is_dataclass(value):
            inner = {key: entry for key, entry in vars(value).items() if key in vars(section)}
            shared[name] = replace_unchecked(section, **inner)
    return replace_unchecked(new, **shared)
