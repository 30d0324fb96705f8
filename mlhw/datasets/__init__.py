"""Where data comes from: prepared once into compact arrays, then memory-mapped."""
