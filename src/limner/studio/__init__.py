"""The studio: a local web application in which people watch agents paint, and change what they paint."""
