"""The city pack: a folder of plain files that makes Jiesu a particular city's, and the resolver of places in its words.

Nothing in the code names a city. Units, questions, deadlines, rates and places are data under `deploy/cities/<city>/`,
checked as a whole when loaded: a pack with mistakes reports all of them at once and nothing starts on it.
"""
