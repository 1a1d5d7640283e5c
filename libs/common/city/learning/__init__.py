"""A city pack made of a city's own records: its questions, units, areas and limits, as its people handled them.

A map says which column of the records holds what; `jiesu city learn` writes the pack.
"""
