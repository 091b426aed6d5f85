"""Manifests of schema 1, brought to schema 2: one configuration was split into an agent's and an algorithm's.

What does nothing in the algorithm that a run used is left out. Names are those that ``docs/log.md`` lists.
"""

from typing import Any

from limner.worlds.validation import expect_object, require


def _names(names: str) -> dict[str, str]:
    """New names by old ones, from words ``old:new``, or ``name`` where it has not changed."""
    return {old: new or old for old, _, new in (name.partition(":") for name in names.split())}


_AGENT = _names("conditional resolution temperature policy renderer steps:horizon opening:first_action_temperature")
_RUN = _names("data start seed frames minutes threads evaluate_every checkpoint_every keep batch:episodes")
_OPTIMIZER = _names("learning_rate final_learning_rate entropy_cost final_entropy_cost gradient_norm average:ema_decay")
_POLICY_GRADIENT = _OPTIMIZER | _names(
    "target_kl entropy_floor advantage_floor discount trace_decay:gae_lambda clip passes:epochs minibatches value_cost "
    "anchor_cost:kl_average_cost prior_cost:kl_prior_cost"
)
_CRITIC = _names(
    "loss width fold:pixel_unshuffle learning_rate batch:batch_size steps:steps_per_update penalty:gradient_penalty "
    "penalised:gradient_penalty_share precision replay data"
)
_EXPERTS = {
    "search": _names("tries:candidates sweeps memory:capacity dreams:augmentation slips:action_noise"),
    "random": _names("slips:action_noise"),
    "programs": _names("programs:path"),
    "agent": _names("agent slips:action_noise"),
}
_COUNTERS = _names("entropy_boost:entropy_scale caution:learning_rate_divisor lessons:demonstrations")


def migrate(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as schema 2 would have it; ``ValueError`` where a section is missing or damaged.

    Its agent can be used; its state cannot be resumed.
    """
    config, counters = _section(manifest, "config"), _section(manifest, "counters")
    agent = _pick(config, _AGENT)
    agent["renderer"] = {"name": "paint", **_section(config, "renderer")}
    rest = {key: value for key, value in manifest.items() if key not in ("schema", "config")}
    rest |= {"counters": {_COUNTERS.get(name, name): value for name, value in counters.items()}}
    return {"schema": 2, "agent": agent, "training": _training(config, agent), **rest}


def _training(config: dict[str, Any], agent: dict[str, Any]) -> dict[str, Any]:
    shared = {"agent": agent, "run": _pick(config, _RUN)}
    learning, reward, imitation = (_section(config, name) for name in ("learning", "reward", "imitation"))
    if teacher := imitation.get("teacher"):
        require(teacher in list(_EXPERTS), f"imitation.teacher is {teacher!r}: must be one of {', '.join(_EXPERTS)}")
        expert = {"name": "file" if teacher == "programs" else teacher, **_pick(imitation, _EXPERTS[teacher])}
        sizes = _pick(imitation, _names("batch:batch_size steps:steps_per_update"))
        return {"algorithm": "imitation", **shared, "expert": expert, **sizes, "learning": _pick(learning, _OPTIMIZER)}
    gradient = {"learning": _pick(learning, _POLICY_GRADIENT), **_pick(config, _names("device"))}
    if not reward.get("critic", 1.0):
        kept = _pick(reward, _names("form stroke_penalty empty_penalty distance:weight"))
        return {"algorithm": "distance", **shared, "reward": kept, **gradient}
    critic = _pick(_section(config, "critic"), _CRITIC)
    kept = _pick(reward, _names("form stroke_penalty empty_penalty distance"))
    return {"algorithm": "spiral", **shared, "critic": critic, "reward": kept, **gradient}


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The section ``name`` of ``values``; empty where there is none."""
    return expect_object(values.get(name, {}), f"{name}.")


def _pick(section: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The fields of ``section`` that have a new name, under it."""
    return {new: section[old] for old, new in names.items() if old in section}
