"""Where recordings come from, and what records that."""
