"""Formulas: a tree of our own, a grammar that grows it, and two writers (LaTeX for the label, typst for the
picture).
"""
