import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("gl")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("sys.modules['mujoco'] = None", 'pip install "limner[scenes]"'),
        ("import os, mujoco; mujoco.GLContext = lambda *size: 1 / 0", "apt-get install libegl1"),
    ],
)
def test_what_is_missing_is_named(cause: str, message: str) -> None:
    script = f"""
import os, sys
os.environ["MUJOCO_GL"] = "egl"
import limner
{cause}
from limner.worlds import make_renderer
make_renderer({{"name": "toy"}})
try:
    make_renderer({{"name": "scenes"}}).canvas()
except ImportError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert message in said
