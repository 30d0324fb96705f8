"""The networks, one file a family; each offers ``build`` with plain arguments."""
