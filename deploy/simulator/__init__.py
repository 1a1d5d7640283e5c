"""A small believable city over public HTTP: citizens appeal, units work, seats decide and phone, citizens judge.

Nothing in it knows the services from inside. What is said comes from the city pack's own phrases and places; who says
it is invented. `python -m services.cli simulate` runs it, `make demo` runs it with a platform to act on.
"""
