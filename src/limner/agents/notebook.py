"""What a notebook shows of an agent: what it is in a table, and a few drawings where it makes them up."""

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from limner.agents.rollout import EpisodeBatch, collect

if TYPE_CHECKING:
    from limner.agents.agent import Agent

DRAWINGS = 8
SIDE = 96
"""Pixels a side that each is shown with."""


def agent_html(agent: "Agent") -> str:
    """A table, and a row of drawings of an unconditional agent, which take a moment to draw."""
    config, world = agent.config, agent.config.renderer.name
    facts = {
        "agent": agent.name,
        "draws": "pictures that it is given" if config.conditional else "pictures that it makes up",
        "world": f"{world}, {config.renderer.canvas} x {config.renderer.canvas} pixels",
        "actions": f"{config.horizon} of {', '.join(part.name for part in config.actions.parts)}",
        "parameters": f"{sum(each.numel() for each in agent.policy.parameters()):,}",
    }
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f"<table>{rows}</table>{'' if config.conditional else _drawings(agent)}"


def _drawings(agent: "Agent") -> str:
    """An element of HTML with the drawings of one seed, beside each other."""
    config = agent.config
    renderer = config.make_renderer(DRAWINGS)
    episodes, generator = EpisodeBatch.empty(config, renderer), torch.Generator().manual_seed(0)
    collect(renderer, agent.policy, episodes, generator, config.temperature, config.first_action_temperature)
    strip = np.concatenate(list(episodes.canvas.numpy()), axis=1)
    file = io.BytesIO()
    Image.fromarray(strip[..., 0] if strip.shape[-1] == 1 else strip).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    text = f"{DRAWINGS} drawings by {escape(agent.name, quote=True)}"
    return f'<img src="data:image/png;base64,{data}" width="{DRAWINGS * SIDE}" height="{SIDE}" alt="{text}">'
