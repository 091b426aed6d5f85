"""Objects on a platform, rendered by MuJoCo."""
