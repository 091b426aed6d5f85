"""Metrics of generated pictures, of reconstructions and of strokes."""
