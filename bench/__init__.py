"""Measures Segue beside its peers, interleaved: `python3 dev.py bench`. The entry point is `bench.__main__`."""
