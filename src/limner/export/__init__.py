"""What people look at: pictures, animations, learning curves and the report of a run."""
