"""Reports: terminal tables, Markdown, and pictures small enough to be committed."""
