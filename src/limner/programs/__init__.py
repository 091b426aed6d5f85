"""Programs: what an agent writes, a renderer executes and a file holds."""
