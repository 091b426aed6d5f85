"""The autoregressive distribution, checked by listing every action of a tiny space."""

import itertools
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from limner.actions import ActionSpace, Part
from limner.models.config import PolicyConfig
from limner.models.decoder import Decoder, SpatialHead
from limner.worlds.paint.settings import PaintSettings, Space, paint_actions

WIDTH = 16
TINY = paint_actions(PaintSettings(grid=4, sizes=(2, 4), pressures=2))
VERBLESS = ActionSpace((Part("end", 4, grid=(2, 2)), Part("size", 3)))
HEADS = [pytest.param(False, id="linear"), pytest.param(True, id="spatial")]


def make_decoder(space=TINY, spatial=False, seed=0):
    """A decoder that is far from uniform."""
    torch.manual_seed(seed)
    decoder = Decoder(space, PolicyConfig(hidden=WIDTH, spatial_heads=spatial))
    for head in decoder.heads:
        final = head if isinstance(head, nn.Linear) else head.body[-1]
        nn.init.normal_(final.weight, 0, 0.3 if final is head else 2.0)
    return decoder


def vectors(count, seed=1):
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed)).relu()


def every_action(space=TINY):
    actions = np.array(list(itertools.product(*(range(size) for size in space.sizes))), np.int64)
    return torch.from_numpy(np.unique(space.canonical(actions), axis=0))


def random_actions(count, seed=0, space=TINY):
    return torch.from_numpy(space.sample(np.random.default_rng(seed), count))


@pytest.mark.parametrize("spatial", HEADS)
@torch.no_grad()
def test_the_probability_of_a_sampled_action_is_its_evaluated_probability(spatial):
    decoder, z = make_decoder(spatial=spatial), vectors(64)
    sampled = decoder.sample(z, torch.Generator().manual_seed(0))
    evaluated = decoder.evaluate(z, sampled.actions)
    assert torch.equal(evaluated.actions, sampled.actions)
    assert torch.equal(evaluated.log_prob, sampled.log_prob)
    assert torch.equal(evaluated.entropy, sampled.entropy)
    assert 0 < (sampled.actions[:, 0] == 0).sum() < 64, "a test without jumps and curves says little"


@torch.no_grad()
def test_sampled_actions_are_canonical_and_in_range():
    actions = make_decoder().sample(vectors(500), torch.Generator().manual_seed(0)).actions.numpy()
    assert actions.dtype == np.int64
    np.testing.assert_array_equal(TINY.validate(actions), TINY.canonical(actions))


@pytest.mark.parametrize("spatial", HEADS)
@torch.no_grad()
def test_probabilities_of_all_actions_sum_to_one_and_give_the_entropy(spatial):
    decoder, actions = make_decoder(spatial=spatial).double(), every_action()
    assert len(actions) == 16 + 16 * 16 * 2 * 2
    decoded = decoder.evaluate(vectors(1).double().expand(len(actions), -1), actions)
    probabilities = decoded.log_prob.exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-9)
    entropy = -(probabilities * decoded.log_prob).sum().item()
    assert entropy < 0.95 * np.log(len(actions)), "a uniform distribution would say little"
    assert (probabilities * decoded.entropy).sum().item() == pytest.approx(entropy, abs=1e-9)


@torch.no_grad()
def test_a_space_without_verbs_has_no_masks():
    decoder, actions = make_decoder(VERBLESS).double(), every_action(VERBLESS)
    decoded = decoder.evaluate(vectors(1).double().expand(12, -1), actions)
    assert decoded.log_prob.exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", get_args(Space))
@torch.no_grad()
def test_every_space_of_the_painter_is_decoded(name):
    """A sampled action is canonical and as probable as evaluated; what does not count has no share in that."""
    space = paint_actions(PaintSettings(space=name, grid=4, sizes=(2, 4), pressures=2, color=True, levels=2))
    decoder, z = make_decoder(space), vectors(64)
    sampled = decoder.sample(z, torch.Generator().manual_seed(0))
    actions = sampled.actions.numpy()
    np.testing.assert_array_equal(space.validate(actions), space.canonical(actions))
    drawn = random_actions(64, space=space)
    noise = torch.from_numpy(np.random.default_rng(1).integers(0, space.sizes, (64, len(space))))
    noisy = torch.where(torch.from_numpy(space.mask(drawn.numpy())), drawn, noise)
    assert torch.equal(noisy, drawn) == (space.verb is None)
    for given, expected in ((sampled.actions, sampled), (noisy, decoder.evaluate(z, drawn))):
        evaluated = decoder.evaluate(z, given)
        assert all(torch.equal(a, b) for a, b in zip(evaluated, expected, strict=True))
    small = paint_actions(PaintSettings(space=name, grid=2, sizes=(2, 4), pressures=2, levels=2))
    everything = every_action(small)
    decoded = make_decoder(small).double().evaluate(vectors(1).double().expand(len(everything), -1), everything)
    assert decoded.log_prob.exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("spatial", HEADS)
def test_masked_parts_contribute_nothing(spatial):
    decoder, z = make_decoder(spatial=spatial), vectors(32).requires_grad_(True)
    actions = random_actions(32)
    actions[:, 0] = 0
    canonical = torch.from_numpy(TINY.canonical(actions.numpy()))
    assert not torch.equal(canonical, actions)
    decoded, expected = decoder.evaluate(z, actions), decoder.evaluate(z, canonical)
    assert torch.equal(decoded.actions, canonical)
    assert torch.equal(decoded.log_prob, expected.log_prob)
    assert torch.equal(decoded.entropy, expected.entropy)
    (decoded.log_prob.sum() + decoded.entropy.sum()).backward()
    for part, head in zip(TINY.parts, decoder.heads, strict=True):
        moved = any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in head.parameters())
        assert moved == (not part.dependent), part.name


def test_a_jump_in_a_batch_does_not_pull_on_what_only_curves_use():
    """The gradient of a mixed batch is that of its curves alone."""
    decoder, z, actions = make_decoder(), vectors(32), random_actions(32)
    curves = actions[:, 0] == 1
    assert 0 < curves.sum() < 32
    gradients = []
    for rows in (torch.ones(32, dtype=torch.bool), curves):
        decoder.zero_grad()
        decoded = decoder.evaluate(z[rows], actions[rows])
        (decoded.log_prob + decoded.entropy).sum().backward()
        gradients.append(decoder.heads[TINY.index("control")].weight.grad.clone())
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_every_part_but_the_first_depends_on_those_before():
    decoder, z = make_decoder().double(), vectors(1).double()
    actions = every_action()
    log_prob = decoder.evaluate(z.expand(len(actions), -1), actions).log_prob
    probabilities = torch.zeros(TINY.sizes, dtype=torch.float64)
    probabilities[tuple(actions.T)] = log_prob.exp()
    curves = probabilities[1]  # [end, control, size, pressure]
    ends = curves.sum((1, 2, 3))
    assert not torch.allclose(ends / ends.sum(), probabilities[0].sum((1, 2, 3)) / probabilities[0].sum(), atol=1e-4)
    for axis in range(3):  # control given end, size given control, pressure given size
        pair = curves.sum([other for other in range(4) if other not in (axis, axis + 1)])
        conditional = pair / pair.sum(1, keepdim=True)
        assert (conditional - conditional[0]).abs().max() > 1e-4


@torch.no_grad()
def test_temperature_zero_takes_the_likeliest_value_of_each_part():
    decoder, z = make_decoder(), vectors(16)
    first, second = (decoder.sample(z, torch.Generator().manual_seed(seed), temperature=0) for seed in (0, 1))
    assert torch.equal(first.actions, second.actions)
    assert torch.equal(first.log_prob, decoder.evaluate(z, first.actions).log_prob)
    flags = decoder.heads[0](z).argmax(-1)
    assert torch.equal(first.actions[:, 0], flags)
    curves, rows, last = first.actions[flags == 1], z[flags == 1], TINY.index("pressure")
    assert len(curves)
    log_probs = []
    for value in range(TINY.sizes[last]):  # whatever else the last part is, the action becomes less likely
        changed = curves.clone()
        changed[:, last] = value
        log_probs.append(decoder.evaluate(rows, changed).log_prob)
    assert torch.equal(curves[:, last], torch.stack(log_probs).argmax(0))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@torch.no_grad()
def test_sampled_frequencies_are_the_probabilities_at_that_temperature(temperature):
    count = 20_000
    decoder, z = make_decoder(), vectors(1)
    decoder.heads[0].bias[1] = 1.5
    actions = decoder.sample(z.expand(count, -1), torch.Generator().manual_seed(0), temperature).actions
    flags = (decoder.heads[0](z)[0] / temperature).softmax(-1)
    share = (actions[:, 0] == 1).double().mean()
    assert abs(share - flags[1]) < 4 * (flags.prod() / count).sqrt()
    if temperature == 1:
        everything = every_action()
        probabilities = decoder.evaluate(z.expand(len(everything), -1), everything).log_prob.exp()
        ends = torch.zeros(16).index_add_(0, everything[:, 1], probabilities)
        found = actions[:, 1].bincount(minlength=16) / count
        assert ((found - ends).abs() < 4.5 * (ends * (1 - ends) / count).sqrt()).all()


@pytest.mark.parametrize("grid", [4, 8, 16, 32])
@torch.no_grad()
def test_a_spatial_head_has_one_logit_a_cell(grid):
    for inputs in (WIDTH, 256):
        assert SpatialHead(inputs, grid)(torch.rand(2, inputs)).shape == (2, grid * grid)
