"""Files for people and other tools: pictures, animations, SVG, G-code, learning curves, reports."""
