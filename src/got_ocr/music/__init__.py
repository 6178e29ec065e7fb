"""Sheet music: staves in a picture, and their kern put together to a score. Knows no model."""
