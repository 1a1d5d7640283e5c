"""The five stages of the loop, and the two places that put them together: embedded.py and cli.py."""
