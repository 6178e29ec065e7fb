"""The decoder's products in C++ for processors with AVX-512, VNNI and BF16: sources, compiler, library.

Optional: where there is no library, `model/fast/` computes the same in PyTorch. Knows no module and no checkpoint.
"""
