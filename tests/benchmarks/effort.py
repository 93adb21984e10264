"""How much is measured: all of it, or so little that a run takes less than a minute."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """The sizes of a run.

    Per round our engine answers `ours` single patients, pyAgrum `pyagrum` and pgmpy `pgmpy`: each so many that its
    share of a round is long enough to be timed. `compared` rows are compared before anything is timed, `compared_pgmpy`
    of them with pgmpy too. `tried` patients choose how each peer is asked.
    """

    rounds: int = 9
    ours: int = 4000
    pyagrum: int = 200
    pgmpy: int = 40
    tried: int = 40
    compared: int = 1000
    compared_pgmpy: int = 1000
    rows: int = 2_000_000
    network_rows: int = 100_000
    growing_rows: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6, 10**7)
    findings: tuple[int, ...] = (0, 1, 2, 5, 10, 15, 20, 25)
    nodes: tuple[int, ...] = (10, 20, 40, 80, 160)
    targets: int = 10
    memory_rows: int = 1_000_000
    file_rows: tuple[int, ...] = (10**7, 2 * 10**7)
    file_runs: int = 3


FULL = Effort()
QUICK = Effort(
    rounds=3,
    ours=1000,
    pyagrum=100,
    pgmpy=15,
    tried=8,
    compared=200,
    compared_pgmpy=50,
    rows=500_000,
    growing_rows=(10**3, 10**4, 10**5, 10**6),
    findings=(0, 5, 10, 25),
    nodes=(10, 40, 160),
    targets=4,
    file_rows=(10**6,),
    file_runs=2,
)
