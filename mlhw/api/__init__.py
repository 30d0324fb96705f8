"""What ``import mlhw`` offers to a notebook or a script: the commands as functions, by the same code as the command line."""
