"""Round strokes in NumPy, for tests."""
