"""Studies: each lists trials and makes tables of their results."""
