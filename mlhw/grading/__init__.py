"""What results and hand-ins are held to, line by line, and how that is told: CSV, Markdown, JUnit, one HTML page."""
