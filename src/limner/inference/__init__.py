"""What users call: sample, draw, paint, parse, evaluate."""
