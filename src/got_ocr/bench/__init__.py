"""How fast it runs here: what the machine can do, what the model asks of it, and the time it takes. Prints nothing."""
