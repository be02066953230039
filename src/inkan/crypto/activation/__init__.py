"""Keys that lie with the platform and are released by a person's assertion for one signature each (design §5.1, B)."""
