"""The test country: one instance, its citizens with cards, and agencies that ask, in one process."""
