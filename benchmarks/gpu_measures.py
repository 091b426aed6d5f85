"""The measures of ``gpu.py``, which starts this script and says what they are: a line of JSON for each."""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from limner.agents.agent import make_policy
from limner.agents.rollout import EpisodeBatch, collect
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.device import prepare, use_tf32
from limner.training.policy_gradient import PolicyGradient
from limner.training.presets import PRESETS
from limner.training.spiral.critic_learner import CriticSide
from limner.worlds.simulator import execute

Figures = dict[str, Any]
FORMATS = {"float32": "float32", "TF32": "float32", "bfloat16": "bfloat16"}
"""Number formats, and the ``precision`` of networks; float32 alone is without TF32."""
PEAKS = {
    "H200": (67, 494, 989),
    "H100 PCIe": (51, 378, 756),
    "H100": (67, 494, 989),
    "A100": (19.5, 156, 312),
    "L40S": (91.6, 183, 362),
    "L4": (30.3, 60, 121),
}
"""Peaks of cards in teraflop/s, in the order of ``FORMATS``. The first name that occurs in that of the card counts."""
SHARES = {"limits": 0.05, "acting": 0.2, "updates": 0.2, "policy": 0.2, "critic": 0.15, "compile": 0.2}
"""Sections and their shares of the time."""
COMPILING = 30.0  # seconds without which nothing is compiled


@dataclass(frozen=True)
class Sizes:
    """How much is done at a time."""

    copy: int = 64 << 20
    matrix: int = 8192
    acting: tuple[int, ...] = (64, 256, 1024)
    policy: tuple[int, ...] = (16, 64, 256)
    critic: tuple[int, ...] = (64, 256, 1024)
    updates: tuple[int, ...] = (64, 256)
    horizon: int = 20


SMALL = Sizes(4 << 20, 256, (2, 3), (2,), (4,), (2,), 3)  # for the CPU


class Bench:
    """Measures within a budget, and prints a line of JSON for each figure."""

    def __init__(self, device: str, seconds: float) -> None:
        prepare(device)
        torch.set_num_threads(1)
        self.device, self.seconds, self.end = device, seconds, time.perf_counter() + seconds
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.sizes = Sizes() if device == "cuda" else SMALL
        self.data, config = "mnist-5k", PRESETS["mnist-paper"].config
        if device == "cuda":
            self.data = next(name for name in ("mnist", "mnist-5k") if available(name))
        run = replace(config.run, data=self.data, threads=self.cores)
        agent = replace(config.agent, horizon=self.sizes.horizon)
        critic = replace(config.critic, batch_size=self.sizes.critic[0])
        self.config: Any = replace(config, agent=agent, run=run, critic=critic, device=device)
        self.source = PictureSource(load_dataset(self.data), agent.renderer.canvas)
        self.name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
        self.peak = next((peak for name, peak in PEAKS.items() if re.search(rf"\b{name}\b", self.name)), None)

    def synchronize(self) -> None:
        """Wait until the device has done what it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def rate(self, work: Callable[[], Any], seconds: float) -> float:
        """How often per second ``work`` is done, in about ``seconds``; the first time does not count."""
        work()
        self.synchronize()
        started, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - started) < seconds or not count:
            work()
            self.synchronize()
            count += 1
        return count / passed

    def share(self, operations: float, form: str) -> float | None:
        """``operations`` per second as a share of the peak in a format."""
        return None if self.peak is None else operations / (self.peak[[*FORMATS].index(form)] * 1e12)

    def section(self, name: str, works: dict[str, Callable[[float], Figures]], needed: float = 0.0) -> None:
        """Do each of ``works`` for an even part of the section's time; ``needed`` seconds must be left."""
        begun, budget = time.perf_counter(), SHARES[name] * self.seconds
        for what, work in works.items():
            now = time.perf_counter()
            over = now - begun > budget or self.end - now < needed
            say({name: {what: {"left_out": "no time was left"} if over else self.tried(work, budget / len(works))}})

    def tried(self, work: Callable[[float], Figures], budget: float) -> Figures:
        """The figures of ``work`` and its peak of memory, or why there are none. Half of the time is for warming up."""
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            figures = work(budget / 2)
        except (RuntimeError, NotImplementedError) as error:  # out of memory, or what torch.compile cannot do
            return {"error": f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:200]}
        finally:
            use_tf32(True)
        figures = {name: float(f"{x:.4g}") if isinstance(x, float) else x for name, x in figures.items()}
        if self.device == "cuda":
            return figures | {"peak_memory_mib": torch.cuda.max_memory_allocated() >> 20}
        return figures | {"peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}  # so far


def available(name: str) -> bool:
    """Whether there is a data set of that name here."""
    try:
        load_dataset(name)
    except ValueError:
        return False
    return True


class Counter(TorchDispatchMode):
    """Counts floating-point operations. ``FlopCounterMode`` itself cannot be used where gradients have gradients."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what is asked, and count it."""
        result = func(*args, **(kwargs or {}))
        if (count := flop_registry.get(func._overloadpacket)) is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def operations(work: Callable[[], Any]) -> int:
    """Floating-point operations of ``work``, of convolutions and matrices."""
    with Counter() as counter:
        work()
    return counter.total


def copies(bench: Bench, seconds: float) -> Figures:
    """Gigabytes per second between host and device, and microseconds for the canvases of a step of 64 episodes."""
    size, gpu = bench.sizes.copy, bench.device == "cuda"
    there, figures = torch.zeros(size, dtype=torch.uint8, device=bench.device), {}
    for kind in ("pinned", "pageable"):
        here = torch.zeros(size, dtype=torch.uint8, pin_memory=gpu and kind == "pinned")
        up = bench.rate(lambda here=here: there.copy_(here, non_blocking=True), seconds / 6)
        down = bench.rate(lambda here=here: here.copy_(there, non_blocking=True), seconds / 6)
        figures |= {f"{kind}_to_device_gb_per_s": up * size / 1e9, f"{kind}_to_host_gb_per_s": down * size / 1e9}
        step = here[: 64 * 64 * 64]
        figures[f"{kind}_step_us"] = 1e6 / bench.rate(lambda step=step: there[: len(step)].copy_(step), seconds / 6)
    return figures


def products(bench: Bench, form: str, seconds: float) -> Figures:
    """The rate of a product of two large square matrices."""
    side, kind = bench.sizes.matrix, torch.bfloat16 if form == "bfloat16" else torch.float32
    use_tf32(form != "float32")
    a, b = (torch.randn(side, side, device=bench.device).to(kind) for _ in range(2))
    rate = bench.rate(lambda: a @ b, seconds) * 2 * side**3
    return {"teraflop_per_s": rate / 1e12, "share_of_peak": bench.share(rate, form)}


def acting(bench: Bench, episodes: int, form: str, seconds: float) -> Figures:
    """Acting in so many episodes; then the renderer alone, with the same actions."""
    agent = with_precision(bench.config, form).agent
    renderer = agent.make_renderer(episodes, bench.cores)
    policy = make_policy(agent).to(bench.device).requires_grad_(False)
    batch = EpisodeBatch.empty(agent, renderer, bench.device)
    act = partial(collect, renderer, policy, batch, torch.Generator(bench.device).manual_seed(0))
    steps, counted = episodes * agent.horizon, operations(act)
    rate = bench.rate(act, seconds * 2 / 3)
    actions = batch.actions.cpu()
    painting = bench.rate(lambda: execute(renderer, actions), seconds / 3)
    figures = {"steps_per_s": rate * steps, "renderer_alone_steps_per_s": painting * steps, "cores": bench.cores}
    return figures | {"gigaflop_per_step": counted / steps / 1e9, "share_of_peak": bench.share(rate * counted, form)}


def policy_learner(bench: Bench, episodes: int, form: str, seconds: float, way: str = "") -> Figures:
    """A gradient step on so many whole episodes; the ``way`` is ``compiled``, ``channels last`` or neither."""
    config = with_precision(bench.config, form)
    renderer = config.agent.make_renderer(episodes)
    batch = EpisodeBatch.empty(config.agent, renderer, bench.device)
    generator = torch.Generator(bench.device).manual_seed(0)
    collect(renderer, make_policy(config.agent).to(bench.device).requires_grad_(False), batch, generator)
    layout = torch.channels_last if way == "channels last" else torch.preserve_format
    policy = make_policy(config.agent).to(bench.device, memory_format=layout)
    learner = PolicyGradient(policy, config.learning, generator)
    rewards = torch.randn(batch.actions.shape[:2], device=bench.device)
    use_tf32(form != "float32")
    counted = operations(lambda: learner.step(batch, rewards, 0.0))
    if way == "compiled":
        policy.evaluate = torch.compile(policy.evaluate)
    rate = bench.rate(lambda: learner.step(batch, rewards, 0.0), seconds)
    return learnt(bench, rate, rewards.numel(), counted, form)


def critic_learner(bench: Bench, pictures: int, form: str, seconds: float, way: str = "") -> Figures:
    """Gradient steps on so many real and so many painted pictures; the ``way`` as in ``policy_learner``."""
    config = with_precision(bench.config, form)
    config = replace(config, critic=replace(config.critic, batch_size=pictures))
    side = CriticSide(config, bench.source)
    side.replay.add({"pictures": torch.rand_like(side.replay.rows["pictures"])})
    use_tf32(form != "float32")
    counted = operations(lambda: side.learner.step(side.real, side.replay))
    if way == "compiled":
        side.learner.critic.compile()
    rate = bench.rate(lambda: side.learner.step(side.real, side.replay), seconds)
    return learnt(bench, rate, 2 * pictures * config.critic.steps_per_update, counted, form)


def learnt(bench: Bench, rate: float, samples: int, counted: int, form: str) -> Figures:
    """The figures of a learner that learns from ``samples`` in ``counted`` operations, ``rate`` times per second."""
    figures = {"samples_per_s": rate * samples, "gigaflop_per_sample": counted / samples / 1e9}
    return figures | {"teraflop_per_s": rate * counted / 1e12, "share_of_peak": bench.share(rate * counted, form)}


def updates(bench: Bench, episodes: int, form: str, seconds: float) -> Figures:
    """Whole updates of the trainer."""
    config = with_precision(bench.config, form)
    config = replace(config, run=replace(config.run, episodes=episodes))
    with closing(make_trainer(replace(config, run=replace(config.run, threads=1)), bench.source)) as trainer:
        trainer.update(0.0)
        counted = operations(lambda: trainer.update(0.0))  # with one thread all of it is counted
    with closing(make_trainer(config, bench.source)) as trainer:
        lines: list[Figures] = []
        rate = bench.rate(lambda: lines.append(trainer.update(0.0)), seconds)
    times = {name: sum(x[name] for x in lines[1:]) / (len(lines) - 1) for name in lines[0] if name.startswith("time/")}
    figures = {"updates_per_s": rate, "steps_per_s": rate * episodes * config.agent.horizon, "threads": bench.cores}
    return figures | times | {"teraflop_per_update": counted / 1e12, "share_of_peak": bench.share(rate * counted, form)}


def with_precision(config: Any, form: str) -> Any:
    """The configuration with networks that compute in a format."""
    policy, critic = (replace(part, precision=FORMATS[form]) for part in (config.agent.policy, config.critic))
    return replace(config, agent=replace(config.agent, policy=policy), critic=critic)


def say(figures: Figures) -> None:
    """Print figures."""
    print(json.dumps(figures), flush=True)


def measure(bench: Bench) -> None:
    """All sections. What may fail or take long comes last."""
    sizes, middle = bench.sizes, len(bench.sizes.policy) // 2
    formats = {f"{form} product": partial(products, bench, form) for form in FORMATS}
    bench.section("limits", {"copies": partial(copies, bench)} | formats)
    networks = [form for form in FORMATS if form != "float32"]
    works = {f"{n} episodes, {form}": partial(acting, bench, n, form) for n in sizes.acting for form in networks}
    bench.section("acting", works)
    works = {f"{n} episodes, {form}": partial(updates, bench, n, form) for n in sizes.updates for form in networks}
    bench.section("updates", works)
    learners = {"policy": (policy_learner, "episodes"), "critic": (critic_learner, "pictures")}
    for name, (learner, unit) in learners.items():
        counts = getattr(sizes, name)
        works = {f"{n} {unit}, {form}": partial(learner, bench, n, form) for n in counts for form in FORMATS}
        if name == "policy":
            way, count = "channels last", counts[middle]
            works[f"{count} {unit}, bfloat16, {way}"] = partial(learner, bench, count, "bfloat16", way=way)
        bench.section(name, works)
    works = {}
    for name, (learner, unit) in learners.items():
        count = getattr(sizes, name)[middle]
        for form in networks:
            works[f"{name}, {count} {unit}, {form}"] = partial(learner, bench, count, form, way="compiled")
    bench.section("compile", works, needed=COMPILING)


def main() -> None:
    """Command line: a device and a number of seconds."""
    bench = Bench(sys.argv[1], float(sys.argv[2]))
    about = {"device": bench.name, "torch": torch.__version__, "cuda": torch.version.cuda, "cores": bench.cores}
    say(about | {"preset": "mnist-paper", "data": bench.data, "peak_teraflop_per_s": bench.peak})
    measure(bench)
    say({"complete": True})


if __name__ == "__main__":
    main()
