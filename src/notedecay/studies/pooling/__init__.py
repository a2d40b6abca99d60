"""One model for several instruments, or one for each."""
