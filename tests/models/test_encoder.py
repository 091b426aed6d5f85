import pytest
import torch

from limner.models.encoder import FEATURES, Encoder, learn_contrast, view


def bars(count, generator):
    """Pictures of one bar each, upright or lying, thin or thick, ``float32[count, 1, 16, 16]``, and which lie."""
    pictures, lying = torch.zeros(count, 1, 16, 16), torch.rand(count, generator=generator) < 0.5
    places = torch.randint(4, 10, (count,), generator=generator)
    widths = torch.randint(1, 4, (count,), generator=generator)
    for picture, lies, place, width in zip(pictures, lying, places, widths, strict=True):
        bar = picture[0].T if lies else picture[0]
        bar[3:13, place : place + width] = 1
    return pictures, lying


def test_features_tell_shapes_apart_that_no_label_has_named():
    torch.manual_seed(0)
    encoder, generator = Encoder(1, 16), torch.Generator().manual_seed(0)
    first = learn_contrast(encoder, lambda count, generator: bars(count, generator)[0], 1, generator)
    loss = learn_contrast(encoder, lambda count, generator: bars(count, generator)[0], 30, generator)
    assert loss < first - 0.5
    assert not encoder.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    pictures, lying = bars(300, generator)
    with torch.no_grad():
        features = encoder(pictures)
    assert features.shape == (300, FEATURES)
    distances = torch.cdist(features, features).fill_diagonal_(torch.inf)
    assert (lying[distances.argmin(1)] == lying).float().mean() > 0.95


def test_features_are_standardised_over_real_pictures():
    torch.manual_seed(0)
    encoder, generator = Encoder(1, 16), torch.Generator().manual_seed(0)
    learn_contrast(encoder, lambda count, generator: bars(count, generator)[0], 5, generator)
    with torch.no_grad():
        features = encoder(bars(2000, generator)[0])
    assert features.mean(0).abs().max() < 0.2
    assert torch.linalg.eigvalsh(torch.cov(features.T)).max() < 1.3


@pytest.mark.parametrize("channels", [1, 3])
def test_views_are_moved_and_stay_in_range(channels):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(64, channels, 16, 16, generator=generator)
    changed = view(pictures, generator)
    assert changed.shape == pictures.shape
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert ((changed - pictures).abs().amax(dim=(1, 2, 3)) > 0.05).all()
    blank = torch.zeros(8, channels, 16, 16)
    assert torch.equal(view(blank, generator), blank), "the ground stays the ground"
