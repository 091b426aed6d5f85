"""Imitation: maximum likelihood on an expert's actions."""
