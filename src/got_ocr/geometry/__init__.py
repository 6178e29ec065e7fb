"""School geometry drawings: what is drawn is found without a network, what is written is read by a model, and both become TikZ."""
