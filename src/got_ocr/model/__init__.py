"""The network itself: encoder, connector, decoder, and its checkpoints.

Pure torch; knows no picture file, prompt or training.
"""
