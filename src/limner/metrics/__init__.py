"""Metrics of generated pictures and of reconstructions."""
