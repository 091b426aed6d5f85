import json
from dataclasses import replace

import pytest
from scripts import load_script

model = load_script("benchmarks/scale_model.py")
Line, Machines, predict = model.Line, model.Machines, model.predict

COSTS = model.Costs(
    horizon=10,
    episodes=64,
    acting=Line(0.1, 0.01),
    sending=Line(0.0, 0.0),
    receiving=Line(0.001, 0.0),
    ray=Line(0.0, 0.0),
    publishing=0.0,
    fetching=0.0,
    scoring=Line(0.0, 0.0),
    policy=Line(0.0, 0.002),
    critic=0.05,
    critic_sending=0.0,
    critic_receiving=0.0,
    critic_ray=0.0,
    batch_bytes=Line(0.0, 1e5),
    call_bytes=0,
    weight_bytes=0,
    picture_bytes=0,
    critic_bytes=0.0,
)


def test_a_line_through_points_of_a_line_is_that_line():
    found = model.fit({n: 0.3 + 0.02 * n for n in (2, 16, 128)})
    assert (found.fixed, found.episode) == pytest.approx((0.3, 0.02))


def test_costs_that_fall_with_episodes_are_fitted_by_a_constant():
    assert model.fit({2: 1.0, 64: 0.5}).episode == 0


@pytest.mark.parametrize(
    ("changed", "actors", "machines", "stage", "part", "seconds"),
    [
        ({}, 1, Machines(), "actor", "acting", 0.74),
        ({}, 32, Machines(), "learner", "policy learning", 0.128 + 0.032),
        ({"critic": 1.0}, 32, Machines(), "critic", "critic learning", 1.0),
        ({"critic": 1.0}, 32, Machines(gpu=2.0), "learner", "critic learning", 0.564 + 0.032),
        ({"acting": Line(0.0, 0.0)}, 32, Machines(gpu=100.0), "learner", "receiving batches", 0.00178 + 0.032),
        ({}, 8, Machines(bandwidth=1e6), "network in", "batches", 6.4),
        ({"weight_bytes": 10**8}, 32, Machines(bandwidth=1e8, actors_each=8), "network out", "weights", 4.0),
        ({}, 1, Machines(cores=1), "cores", "acting", 0.74 + 0.128 + 0.05 + 0.001),
        ({}, 1, Machines(cores=64), "actor", "acting", 0.74),
    ],
)
def test_an_update_takes_as_long_as_its_slowest_stage(changed, actors, machines, stage, part, seconds):
    found = predict(replace(COSTS, **changed), actors, machines)
    assert (found.bottleneck, found.largest) == (stage, part)
    assert found.frames_per_second == pytest.approx(64 * 10 / seconds, rel=2e-3)


def test_where_episodes_do_not_suffice_for_the_actors_an_update_has_more():
    assert predict(COSTS, 32, Machines()).episodes == 64
    assert predict(COSTS, 1024, Machines()).episodes == 2048
    assert predict(COSTS, 4, Machines(fewest=64)).episodes == 256


def test_costs_are_read_as_they_were_written():
    assert model.Costs.from_dict(json.loads(json.dumps(COSTS.to_dict()))) == COSTS
