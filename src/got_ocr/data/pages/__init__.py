"""Pages: a document tree of our own, random writing, and two writers (Mathpix Markdown for the label, typst for
the picture).
"""
