import pytest
import torch

from limner.models.config import CriticConfig
from limner.models.critic import FeatureCritic, PixelCritic


def make_critic(channels=1, resolution=16, width=4, seed=0):
    torch.manual_seed(seed)
    return PixelCritic(CriticConfig(width=width), channels, resolution)


def pictures(count=5, channels=1, resolution=16, seed=0):
    return torch.rand(count, channels, resolution, resolution, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("resolution", "channels"), [(8, 1), (16, 3), (32, 1), (64, 1)])
def test_one_score_a_picture_that_depends_on_that_picture_only(resolution, channels):
    critic = make_critic(channels, resolution).eval()
    batch = pictures(5, channels, resolution)
    scores = critic(batch)
    assert scores.shape == (5,)
    assert scores.std() > 0
    alone = torch.cat([critic(picture[None]) for picture in batch])
    torch.testing.assert_close(scores, alone, rtol=1e-5, atol=1e-6)


def test_the_width_doubles_down_to_four_pixels():
    critic = make_critic(resolution=64, width=8)
    assert [(layer.in_channels, layer.out_channels) for layer in critic.convolutions] == [
        (1, 8), (8, 16), (16, 32), (32, 64),
    ]  # fmt: skip
    assert critic.output.in_features == 64 * 4 * 4


def test_pixel_unshuffle_turns_blocks_of_pixels_into_channels_and_all_of_them_count():
    critic = PixelCritic(CriticConfig(width=8, pixel_unshuffle=4), 3, 32)
    assert [(layer.in_channels, layer.out_channels, layer.stride[0]) for layer in critic.convolutions] == [
        (48, 8, 1), (8, 16, 2),
    ]  # fmt: skip
    assert critic.output.in_features == 16 * 4 * 4
    batch = pictures(2, 3, 32).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(batch)[0], batch)
    assert (slope[0] != 0).all()
    assert (slope[1] == 0).all()


@pytest.mark.parametrize("precision", ["bfloat16", "native"])
def test_reduced_precision_changes_little_and_leaves_the_weights_in_float32(precision):
    full, reduced = (
        PixelCritic(CriticConfig(width=8), 1, 32),
        PixelCritic(CriticConfig(width=8, precision=precision), 1, 32),
    )
    reduced.load_state_dict(full.state_dict())
    inputs = [pictures(16, resolution=32).requires_grad_(True) for _ in range(2)]
    gradients = []
    for critic, picture in zip((full, reduced), inputs, strict=True):
        scores = critic(picture)
        assert scores.dtype == torch.float32
        gradients.append(torch.autograd.grad(scores.sum(), picture)[0])
    assert (full(inputs[0]) - reduced(inputs[1])).abs().max() < 0.02
    assert (gradients[0] - gradients[1]).norm() < 0.15 * gradients[0].norm()
    assert all(parameter.dtype == torch.float32 for parameter in reduced.parameters())


@torch.no_grad()
def test_scores_are_centred_step_by_step_without_touching_their_differences():
    critic = make_critic().eval()
    raw = critic(pictures())
    torch.testing.assert_close(critic.score(pictures()), raw)
    critic.centre(raw)
    torch.testing.assert_close(critic.score(pictures()), raw - 0.1 * raw.mean())
    for _ in range(100):
        critic.centre(raw)
    torch.testing.assert_close(critic.score(pictures()), raw - raw.mean(), atol=1e-4, rtol=0)
    torch.testing.assert_close(critic(pictures()), raw)
    assert "offset" in critic.state_dict()


def test_scores_of_a_bfloat16_critic_are_not_rounded():
    torch.manual_seed(0)
    critic = PixelCritic(CriticConfig(width=4, precision="bfloat16"), 1, 16)
    similar = torch.rand(1, 1, 16, 16) + torch.linspace(0, 0.2, 64)[:, None, None, None]
    with torch.no_grad():
        scores = critic(similar)
    assert scores.dtype == torch.float32
    assert not torch.equal(scores, scores.bfloat16().float())


def test_a_target_changes_the_score_of_a_picture_beside_it():
    critic = PixelCritic(CriticConfig(width=4), 1, 16, conditional=True)
    pair = torch.cat([pictures(5), pictures(5, seed=1)], dim=1)
    other = torch.cat([pictures(5), pictures(5, seed=2)], dim=1)
    assert (critic(pair) != critic(other)).all()


def test_a_critic_of_features_scores_each_picture_alone_and_never_learns_in_its_encoder():
    torch.manual_seed(0)
    critic = FeatureCritic(CriticConfig(encoder="contrastive"), 3, 16)
    batch = pictures(5, 3)
    scores = critic.train()(batch)
    assert scores.shape == (5,)
    assert scores.std() > 0
    scores.sum().backward()
    assert all((parameter.grad is None) == name.startswith("encoder") for name, parameter in critic.named_parameters())
    critic.eval()
    alone = torch.cat([critic(picture[None]) for picture in batch])
    torch.testing.assert_close(critic(batch), alone, rtol=1e-5, atol=1e-6)
