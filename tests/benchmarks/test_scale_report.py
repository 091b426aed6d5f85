import pytest
from scripts import load_script

model = load_script("benchmarks/scale_model.py")
report = load_script("benchmarks/scale_report.py")


@pytest.fixture
def costs():
    lines = dict.fromkeys(("acting", "sending", "receiving", "ray", "scoring", "policy", "batch_bytes"))
    numbers = ("publishing", "fetching", "critic", "critic_sending", "critic_receiving", "critic_ray")
    sizes = dict.fromkeys(("call_bytes", "weight_bytes", "picture_bytes", "critic_bytes"), 1000)
    values = {name: model.Line(0.01, 0.001) for name in lines} | dict.fromkeys(numbers, 0.01) | sizes
    return model.Costs(horizon=6, episodes=128, **values)


@pytest.fixture
def found():
    cpu = {"learner": 0.2, "actors": 0.1, "critic": 0.1, "ray": 0.0}
    trained = [{"actors": 2, "frames_per_second": 1234.0, "actor_gibibytes": 0.25, "cpu": cpu}]
    replayed = [{"actors": 8, "frames_per_second": 950.0, "alone": 1000.0, "ratios": [0.9, 0.95, 1.0]}]
    return {"cores": 2, "trained": trained, "replayed": replayed}


def test_tables_hold_what_is_predicted_and_what_was_measured(found, costs):
    tables = report.tables(found, costs)
    for actors in report.ACTORS:
        assert f"| {actors:,} | " in tables
    assert "| 1,234 |" in tables
    assert "| 1,000 | 0.95 (0.90, 0.95, 1.00) |" in tables
    assert {line.count("|") for line in report.prediction_table(costs, 2).splitlines()} == {6}


def test_every_bottleneck_of_the_clusters_has_a_remedy(costs):
    met = report.remedy_table(costs)
    for machines in report.CLUSTERS.values():
        for actors in report.ACTORS:
            prediction = model.predict(costs, actors, machines)
            assert f"| {prediction.bottleneck}, {prediction.largest} | " in met


def test_the_plot_is_a_picture(found, costs):
    assert report.plot(found, costs).startswith(b"\x89PNG")
