import numpy as np
import pytest
import torch

from limner.data import load_dataset
from limner.data import picture_source as module
from limner.data.picture_source import PictureSource
from limner.worlds.observation import preprocess


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_the_pictures_of_the_data_set_whether_kept_or_made_anew(kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 10 * 64 * 64 if kept else 10 * 64 * 64 - 1)
    data = load_dataset().spread(10)
    source = PictureSource(data, 64)
    assert (source.pictures is not None) == kept
    assert len(source) == 10
    assert source.shape == (64, 64, 1)
    rows = torch.tensor([3, 0, 3, 9])
    np.testing.assert_array_equal(source.take(rows), data.pictures(64)[rows])


@pytest.mark.parametrize("kept", [0, 10 * 64 * 64, 10 * 32 * 32 * 4])
def test_preprocessed_rows_are_the_same_whether_kept_or_made_anew(kept, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", kept)
    monkeypatch.setattr(module, "CHUNK", 4)
    source = PictureSource(load_dataset().spread(10), 64)
    rows = torch.tensor([3, 0, 3, 9])
    for resolution in (32, 64, 32):
        assert torch.equal(source.take_preprocessed(rows, resolution), preprocess(source.take(rows), resolution))


def test_all_rows_are_drawn_and_the_generator_decides():
    source = PictureSource(load_dataset().spread(10), 64)
    drawn = source.draw(200, torch.Generator().manual_seed(0))
    assert len(torch.unique(drawn, dim=0)) == 10
    assert torch.equal(drawn, source.draw(200, torch.Generator().manual_seed(0)))
    assert not torch.equal(drawn, source.draw(200, torch.Generator().manual_seed(1)))
