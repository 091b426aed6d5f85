"""Commands of ``limner`` that have commands of their own."""
