"""The same network for inference on a CUDA GPU: each file has a plain twin in `model/` and tests that compare them on the CPU.

Read `ops` first: it says what the kernels compute, and `choose` says where Triton's are used and where PyTorch's. Then
`vision` and `decoder` (the network on those kernels), `board` (choosing ids on the device) and `graphs` (steps recorded
once). `model.fast.pick.fast_model` builds the whole. Pure torch with Triton where it is present; knows no picture file,
prompt or training.
"""
