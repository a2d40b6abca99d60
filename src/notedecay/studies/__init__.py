"""Lists of trials, and the tables that they end in."""
