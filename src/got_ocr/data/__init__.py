"""The synthesis engine: (recipe, seed, index) -> Sample. Knows no model and needs no torch."""
