"""Strokes in a real paint engine, libmypaint."""
