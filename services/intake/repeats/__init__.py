"""Repeats: which appeals are about one event, whoever sent them, by whatever channel, in whatever words.

An appeal is read once into a sketch of fixed size (`reader`: its matter by `matters`, its place by `places`), kept
under a few keys by which it is found again, and compared with the others under those keys, thousands of pairs at a time
(`evidence`, `judging`, `finding`). What the words mean, whose matter a question is and the weights are data of the city
pack.
"""

from services.intake.repeats.finding import Known, Repeats
from services.intake.repeats.reader import Read, Said, joined_reads

__all__ = ["Known", "Read", "Repeats", "Said", "joined_reads"]
