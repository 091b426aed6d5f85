"""Search: better actions than a policy proposes by itself."""
