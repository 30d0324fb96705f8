"""Reports: one HTML file of what runs have in their files, complete in itself."""
