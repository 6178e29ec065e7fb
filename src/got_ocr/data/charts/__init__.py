"""Charts: figures of our own, made-up numbers, the dictionary that is their label and two ways of drawing them."""
