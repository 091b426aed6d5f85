"""Worlds: what programs are written for."""
