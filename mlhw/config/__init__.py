"""YAML text to a typed, frozen experiment."""
