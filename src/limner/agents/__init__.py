"""Trained policies: finding, loading, acting."""
