"""The same network for inference on the CPU, faster: each file has a plain twin in `model/` and a test that compares them.

`pick.fast_model` turns a `GotModel` into its fast form. Pure torch; knows no picture file, prompt or training.
"""
