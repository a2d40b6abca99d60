"""Sources of recordings: downloads, packages, own folders, and the lock of the data folder."""
