"""Gymnasium environments over any renderer."""
