"""Imports MuJoCo so that it renders without a screen.

OpenGL is EGL unless ``MUJOCO_GL`` is set; where EGL is missing MuJoCo is imported without OpenGL, which simulation does
not need. Mesa renders in the calling thread (``LP_NUM_THREADS=0``): threads would slow small pictures down.
"""

import logging
import os
from typing import Any

os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("LP_NUM_THREADS", "0")
logging.getLogger("OpenGL").setLevel(logging.WARNING)  # it lists missing optional modules when it is imported

try:
    import mujoco
except ModuleNotFoundError as error:
    raise ImportError(f'scenes and the robot need MuJoCo ({error}): pip install "limner[scenes]"') from None
except AttributeError:  # what PyOpenGL raises without libEGL
    os.environ["MUJOCO_GL"] = "disable"
    import mujoco
except RuntimeError as error:
    raise ImportError(f"MuJoCo does not start: {error}") from None

__all__ = ["mujoco", "open_context"]


def open_context(model: Any, width: int, height: int) -> tuple[Any, Any]:
    """An OpenGL context for this thread, and MuJoCo's context to render ``model`` in pictures of that size.

    ``ImportError`` naming what is missing if OpenGL does not start.
    """
    try:
        gl = mujoco.GLContext(width, height)
        gl.make_current()
        context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    except Exception as error:  # each cause has an exception class of its own
        why = " ".join(str(error).split()) or type(error).__name__
        raise ImportError(
            f"MuJoCo cannot render here ({why}): apt-get install libegl1 libgl1 libgl1-mesa-dri, or choose another "
            "MUJOCO_GL"
        ) from None
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
    mujoco.mjr_resizeOffscreen(width, height, context)
    return gl, context
