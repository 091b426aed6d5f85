import pytest
from ray_runs import own_cluster

from limner.training.runtime.cluster import make_token


@pytest.fixture(autouse=True, scope="session")
def token():
    """Clusters of several processes of tests have the same, as those of runs have."""
    make_token()


@pytest.fixture(scope="module")
def cluster():
    with own_cluster(9):
        yield
