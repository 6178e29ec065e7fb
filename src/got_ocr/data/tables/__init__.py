"""Tables: a grid of our own, random filling, writers (LaTeX, HTML) for the label and Pillow for the picture."""
