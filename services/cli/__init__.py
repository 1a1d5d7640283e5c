"""What a person does with Jiesu from a shell: run it, replay the past into it, simulate its city, issue keys.

`python -m services.cli --help` lists the commands; `make` has the common ones.
"""
