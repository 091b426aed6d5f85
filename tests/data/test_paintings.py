import numpy as np
import pytest

from limner.data import load_dataset
from limner.programs.program import Program, execute, save_programs
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings


def programs(count, **settings):
    renderer = Paint(PaintSettings(space="stroke", sizes=(2.0, 4.0), events=6, **settings), count)
    actions = renderer.actions.sample(np.random.default_rng(0), (3, count))
    return [Program(renderer.settings(), actions[:, i]) for i in range(count)]


@pytest.mark.parametrize("color", [False, True])
def test_paintings_are_what_the_programs_paint(tmp_path, color):
    some = programs(20, color=color)
    save_programs(tmp_path / "some.jsonl", some)
    train, test = (load_dataset(f"programs:{tmp_path}/some.jsonl", split) for split in ("train", "test"))
    assert (len(train), len(test), train.channels) == (18, 2, 3 if color else 1)
    for data, rows in ((train, [i for i in range(20) if i % 10 != 9]), (test, [9, 19])):
        pictures = data.pictures(64)
        for picture, row in zip(pictures, rows, strict=True):
            np.testing.assert_array_equal(picture, execute(some[row]))
    assert train.pictures(32).shape == (18, 32, 32, train.channels)


def test_files_that_paint_no_data_set_are_refused(tmp_path):
    path = tmp_path / "some.jsonl"
    spec = f"programs:{path}"
    with pytest.raises(ValueError, match=r"cannot read .*some.jsonl"):
        load_dataset(spec)
    save_programs(path, programs(3))
    with pytest.raises(ValueError, match="no program for the split 'test', of 3"):
        load_dataset(spec, "test")
    save_programs(path, programs(3, ground="transparent"))
    with pytest.raises(ValueError, match="on white"):
        load_dataset(spec)
    save_programs(path, programs(2) + programs(1, color=True))
    with pytest.raises(ValueError, match="all alike"):
        load_dataset(spec)
    path.write_text("no program\n")
    with pytest.raises(ValueError, match="line 1"):
        load_dataset(spec)
