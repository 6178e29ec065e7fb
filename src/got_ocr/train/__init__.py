"""Training: one loop over a recipe of stages. Knows no metric and no command line."""
