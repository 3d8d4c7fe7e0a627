"""Which ordered pairs of projects the isolation tests try: a small mix by default, all of them with the slow tests."""

import itertools

import pytest

SHARED = ("one", "two-words", "three")
ISOLATED = ("apart", "aside", "alone")
NAMES = (*SHARED, *ISOLATED)
NUMBERS = {"one": 1, "two-words": 2, "three": 3, "apart": 8, "alone": 9, "aside": 10}
_MIXED = [("one", "apart"), ("apart", "one"), ("apart", "aside"), ("apart", "alone"), ("alone", "one")]
MIX = {*itertools.permutations(SHARED, 2), *_MIXED}


def pairs(owners: tuple[str, ...] = NAMES) -> list:
    """Returns the pairs of an attacking and an attacked project, the latter one of these."""
    return [
        pytest.param(pair, id="-on-".join(pair), marks=() if pair in MIX else pytest.mark.slow)
        for pair in itertools.permutations(NAMES, 2)
        if pair[1] in owners
    ]
