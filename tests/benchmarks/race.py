"""Timing side by side: entrants take turns, round after round, so that a busy moment of the machine hits all of them.

Ratios are taken within a round and the median of the rounds is told, with the least and the greatest.
"""

from statistics import median
from time import perf_counter

OURS = "calcinosis"


def race(entrants, rounds):
    """The seconds per question of each entrant in each round.

    An entrant is a function of the round's number that answers some questions and returns how many. Who begins changes
    with the round.
    """
    names = list(entrants)
    taken = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start = perf_counter()
            answered = entrants[name](number)
            taken[name].append((perf_counter() - start) / answered)
    return taken


def turns(answer, questions, each):
    """An entrant that is asked `each` new questions per round."""

    def run(number):
        for question in questions[number * each : (number + 1) * each]:
            answer(question)
        return each

    return run


def line(question, taken):
    """A line of the table: the median seconds of each, and how many times as long as ours the others take."""
    return {
        "question": question,
        "seconds": {name: median(times) for name, times in taken.items()},
        "ratios": {name: ratio(times, taken[OURS]) for name, times in taken.items() if name != OURS},
    }


def ratio(these, those):
    """How many times as long these take, round by round."""
    found = [one / other for one, other in zip(these, those, strict=True)]
    return {"median": median(found), "min": min(found), "max": max(found)}


def seconds(ask):
    """How long a question takes once."""
    start = perf_counter()
    ask()
    return perf_counter() - start


def alone(question, taken):
    """A line of the table for a question that only we are asked."""
    return {"question": question, "seconds": {OURS: taken}, "ratios": {}}


def agreed(worst, tolerance=1e-10):
    """The largest difference between the engines; the end of the run if they do not agree."""
    if worst > tolerance:
        raise SystemExit(f"the engines do not agree: {worst}")
    return worst
