import numpy as np
import pytest
import torch

from limner import gallery as module
from limner.datasets import load_dataset
from limner.gallery import Gallery


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_the_pictures_of_the_data_set_whether_kept_or_made_anew(kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 10 * 64 * 64 if kept else 10 * 64 * 64 - 1)
    data = load_dataset().spread(10)
    gallery = Gallery(data, 64)
    assert (gallery.pictures is not None) == kept
    assert len(gallery) == 10
    assert gallery.shape == (64, 64, 1)
    rows = torch.tensor([3, 0, 3, 9])
    np.testing.assert_array_equal(gallery.take(rows), data.pictures(64)[rows])


def test_all_rows_are_drawn_and_the_generator_decides():
    gallery = Gallery(load_dataset().spread(10), 64)
    drawn = gallery.draw(200, torch.Generator().manual_seed(0))
    assert len(torch.unique(drawn, dim=0)) == 10
    assert torch.equal(drawn, gallery.draw(200, torch.Generator().manual_seed(0)))
    assert not torch.equal(drawn, gallery.draw(200, torch.Generator().manual_seed(1)))
