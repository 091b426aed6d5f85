"""How good pictures are, and how close."""
