"""A drawing hand for language models: tools of the Model Context Protocol, over standard input and output."""
