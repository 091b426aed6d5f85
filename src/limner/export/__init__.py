"""What people look at, and what other tools read: pictures, animations, SVG, G-code, learning curves, reports."""
