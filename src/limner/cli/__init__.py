"""Commands of ``limner``: ``main`` picks one."""
