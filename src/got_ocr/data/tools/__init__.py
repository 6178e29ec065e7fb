"""Wrappers around third-party drawing programs, one file each: ours in, pictures out. They know no sample and no
label.
"""
