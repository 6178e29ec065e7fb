"""Tables: the grid of cells, its writing as LaTeX, and how the grid is found in a picture. Knows no model."""
