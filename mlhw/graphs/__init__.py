"""Computational graphs: of an expression, with every gradient by hand, and of a model's loss; their layout and DOT text."""
