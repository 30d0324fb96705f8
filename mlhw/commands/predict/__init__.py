"""A run's own model on the user's pictures, or on rows of numbers."""
