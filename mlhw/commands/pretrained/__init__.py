"""Pretrained networks on the user's own pictures."""
