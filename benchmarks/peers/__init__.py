"""The same experiment in mlhw, in the tools that people would otherwise use, and as bare arithmetic."""
