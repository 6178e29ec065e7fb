"""Evaluation: predictions, scorers, reports. Knows no training."""
