"""Run folders: plain files on disk, and what can be read back from them."""
