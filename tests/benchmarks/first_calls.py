"""The first answer in a process: python tests/benchmarks/first_calls.py one_way|uncertainty|interval

Prints the seconds that the first question takes, the package being imported and the priors read, but no row drawn and
no table worked on yet.
"""

import sys
from time import perf_counter

import calcinosis as cc

CASE = "jones2023"
DRAWS = 10_000


def findings_of(model, case):
    """What was found in a published case, as the model's variables have it."""
    return {name: value for name, value in cc.cases().loc[case].items() if name in model.names and value}


def sweep(model, findings):
    """The effect of every entry of the tables on every state of the target, as tables."""
    found = cc.sensitivity.one_way(model, findings)
    return found.frame, found.by_state


ASKED = {
    "one_way": sweep,
    "uncertainty": lambda model, findings: cc.sensitivity.uncertainty(model, findings, draws=DRAWS).frame,
    "interval": lambda model, findings: model.posterior(findings).interval(0.95),
}


def main():
    """Ask once and tell how long it took."""
    model = cc.load()
    findings = findings_of(model, CASE)
    start = perf_counter()
    ASKED[sys.argv[1]](model, findings)
    print(perf_counter() - start)


if __name__ == "__main__":
    main()
