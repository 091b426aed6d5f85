"""SPIRAL: a critic's score is the reward."""
