"""Training: configurations, trainers, runs."""
