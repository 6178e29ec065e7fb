"""Charts: what a picture of bars, lines, dots or sectors shows, found without a network, and its dictionary."""
