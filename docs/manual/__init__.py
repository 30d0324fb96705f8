"""What the manual's build needs beside Sphinx: formulas, figures and numbers, and the references."""
