"""The program that runs in the container: `python -m worker`.

It is self-contained: only this folder and its requirements.txt reach the container.
"""
