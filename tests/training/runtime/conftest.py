import pytest
from ray_runs import own_cluster


@pytest.fixture(scope="module")
def cluster():
    with own_cluster(9):
        yield
