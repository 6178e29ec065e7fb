"""One file per kind of picture that the engine can write."""
