"""What the parts of training on many actors cost, measured one by one: seconds of CPU time, and bytes.

CPU time hardly depends on what else runs on the machine. What is computed is measured in this process, and what Ray
does with the batches of replaying actors, whose painting costs nothing (``scale_replay``).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from runtimes import numbers_of
from scale_model import Costs, fit
from scale_replay import replaying
from torch import Tensor

from limner.agents.agent import make_policy
from limner.data.picture_source import PictureSource
from limner.training.actor_critic import EpisodeActor, reward
from limner.training.config import RayConfig
from limner.training.part import make_generator
from limner.training.policy_gradient import PolicyGradient
from limner.training.runtime.ray_object import MOST_CALLS
from limner.training.spiral.critic_learner import CriticSide, score

ACTED = (2, 4, 8, 16, 32, 64, 128)
"""Episodes of a batch whose acting is measured."""
LEARNT = (32, 128, 512)
"""Episodes of an update whose scoring and learning are measured."""
SENT = {2: 1024, 16: 8, 64: 2}
"""Episodes of a batch whose sending is measured, and from how many actors."""
UPDATES = 2 * MOST_CALLS
"""Updates in which weights, and the critic, are measured: its state is kept twice."""
WARM_UP = 2
"""Times that do not count."""
FOREVER = 10**9
Points = dict[int, float]


def sized(config: Any, episodes: int, actors: int | None = None) -> Any:
    """The configuration with so many episodes in an update, on Ray with ``actors``, or in one thread without."""
    run = replace(config.run, episodes=episodes, threads=1)
    if actors is not None:
        run = replace(run, runtime=RayConfig(actors=actors, max_lag=FOREVER))
    learning = config.learning
    if episodes < 2 * learning.minibatches:
        learning = replace(learning, minibatches=1)
    return replace(config, run=run, learning=learning)


def seconds(work: Callable[[], Any], budget: float) -> float:
    """The median CPU time of ``work`` in this process, done again and again for so many seconds of it."""
    for _ in range(WARM_UP):
        work()
    times: list[float] = []
    while sum(times) < budget or len(times) < 3:
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def size(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of tensors."""
    return sum(tensor.nbytes for tensor in tensors.values())


def acting(config: Any, source: PictureSource, budget: float) -> tuple[Points, Points]:
    """CPU time and bytes of a batch by its episodes."""
    costs, sizes = Points(), Points()
    for episodes in ACTED:
        actor = EpisodeActor(sized(config, episodes), source)
        costs[episodes] = seconds(actor.act, budget)
        sizes[episodes] = size(actor.pack(actor.act()[0])) + actor.generator.get_state().nbytes
    return costs, sizes


def learning(config: Any, source: PictureSource, budget: float) -> tuple[Points, Points]:
    """CPU time of scoring, and of the policy learner, by the episodes of an update."""
    critic = CriticSide.make_critic(config).requires_grad_(False).eval()
    scoring, policy = Points(), Points()
    for episodes in LEARNT:
        batch, _ = EpisodeActor(sized(config, episodes), source).act()
        learner = PolicyGradient(make_policy(config.agent), config.learning, make_generator("policy", 0))
        scores = score(critic, batch)

        def learn(batch: Any = batch, learner: Any = learner, scores: Tensor = scores) -> None:
            rewards = reward(scores, batch, config.agent.actions, config.reward)
            learner.step(batch, rewards, 0.0, scores, learner.refer(batch))

        scoring[episodes] = seconds(partial(score, critic, batch), budget)
        policy[episodes] = seconds(learn, budget)
    return scoring, policy


def cpu_seconds() -> dict[int, float]:
    """The CPU time that this process and all that come from it have used, by their numbers."""
    used, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(path.parent.name)
        parents[number], used[number] = int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    found, new = set(), {os.getpid()}
    while new:
        found |= new
        new = {child for child, parent in parents.items() if parent in new} - found
    return {number: used[number] for number in found}


def used(work: Callable[[], Any], times: int, runtime: Any) -> dict[str, float]:
    """CPU time of doing ``work``: of this thread, of the processes of actors and critic, and of Ray besides.

    ``work`` is done so many times after warming up. Ray has threads in this process, and processes of its own.
    """
    processes = {
        "actors": [actor.process for actor in runtime.actors],
        "critic": [hosted.process for hosted in runtime.hosted],
    }
    numbers = {name: numbers_of(runtime, several) for name, several in processes.items()}
    for _ in range(WARM_UP):
        work()
    before, started = cpu_seconds(), time.thread_time()
    for _ in range(times):
        work()
    parts = {"learner": time.thread_time() - started}
    spent = {number: now - before.get(number, 0.0) for number, now in cpu_seconds().items()}
    parts |= {name: sum(spent.pop(number) for number in several) for name, several in numbers.items()}
    parts["ray"] = max(0.0, sum(spent.values()) - parts["learner"])
    return {name: total / times for name, total in parts.items()}


def sending(config: Any, source: PictureSource, budget: float) -> dict[str, Points]:
    """CPU time of a batch by its episodes, in the processes that it goes through."""
    found: dict[str, Points] = {"actors": {}, "learner": {}, "ray": {}}
    for episodes, actors in SENT.items():
        with replaying(sized(config, episodes * actors, actors), source) as runtime:
            runtime.take()
            started = time.perf_counter()
            runtime.take()
            times = max(2, round(budget / (time.perf_counter() - started)))
            spent = used(runtime.take, times, runtime)
        for where, points in found.items():
            points[episodes] = spent[where] / actors
    return found


def weights(config: Any, source: PictureSource) -> tuple[float, float]:
    """CPU time of publishing weights and of fetching them: what they add to taking small batches of one actor."""
    policy = make_policy(config.agent).state_dict()
    with replaying(sized(config, 2, 1), source) as runtime:
        without = used(runtime.take, UPDATES, runtime)
        given = used(lambda: (runtime.publish(policy), runtime.take()), UPDATES, runtime)
    return max(0.0, given["learner"] - without["learner"]), max(0.0, given["actors"] - without["actors"])


def hosted_critic(config: Any, source: PictureSource) -> dict[str, float]:
    """CPU time of an update of a critic on Ray, from sending pictures to taking its weights."""
    with replaying(sized(config, config.run.episodes, 1), source) as runtime:
        critic, frozen = runtime.host(CriticSide), CriticSide.make_critic(config)
        pictures = runtime.take().final

        def learn() -> None:
            frozen.load_state_dict(critic.call("learn", pictures, 1).result().weights)

        return used(learn, UPDATES, runtime)


def measure(config: Any, source: PictureSource, budget: float) -> tuple[Costs, dict[str, Any]]:
    """The costs, and the points that the lines among them go through; ``budget`` seconds for each point."""
    acted, sizes = acting(config, source, budget)
    scored, learnt = learning(config, source, budget)
    side = CriticSide(sized(config, config.run.episodes), source)
    rows = side.replay.rows["pictures"]
    side.replay.add({"pictures": rows.clone()})
    pictures, critic_state = rows[: config.run.episodes].clone(), size(side.learner.critic.state_dict())
    critic = seconds(lambda: side.learn(pictures, 1), budget)
    sent = sending(config, source, budget)
    publishing, fetching = weights(config, source)
    hosted = hosted_critic(config, source)
    costs = Costs(
        horizon=config.agent.horizon,
        episodes=config.run.episodes,
        acting=fit(acted),
        sending=fit(sent["actors"]),
        receiving=fit(sent["learner"]),
        ray=fit(sent["ray"]),
        publishing=publishing,
        fetching=fetching,
        scoring=fit(scored),
        policy=fit(learnt),
        critic=critic,
        critic_sending=max(0.0, hosted["critic"] - critic),
        critic_receiving=hosted["learner"],
        critic_ray=hosted["ray"],
        batch_bytes=fit(sizes),
        call_bytes=side.learner.generator.get_state().nbytes,
        weight_bytes=size(make_policy(config.agent).state_dict()),
        picture_bytes=pictures[0].nbytes,
        critic_bytes=critic_state + size(side.state()) / MOST_CALLS,
    )
    return costs, {"acting": acted, "scoring": scored, "policy": learnt, "sending": sent}
