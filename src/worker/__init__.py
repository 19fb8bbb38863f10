"""The program that runs in the container: `python -m worker`.

Self-contained: nothing but this folder and its requirements.txt reaches the container.
"""
