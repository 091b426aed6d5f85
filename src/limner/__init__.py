"""Limner: an agent that draws by writing programs for a paint engine.

Importing the package does one thing: it tells Gymnasium the names of the environments.
"""

import gymnasium

for _name in ("Paint", "Scenes", "Toy"):
    gymnasium.register(
        id=f"limner/{_name}-v0",
        entry_point="limner.environments.gymnasium:PaintEnv",
        vector_entry_point="limner.environments.gymnasium:PaintVectorEnv",
        kwargs={"renderer": _name.lower()},
    )
