"""Who computes: a backend holds weights and runs them. An export is just another backend."""
