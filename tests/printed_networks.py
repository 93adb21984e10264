"""Networks that others have printed, each with its source, as `build` takes them.

{name: (states, parents, rows)}, words cut at spaces, the rows in the order of the parents' states.
"""

import numpy as np

YES_NO = "yes no"
BINARY = "0 1"


def yes(*probabilities):
    """Rows of a variable with the states yes, no from the probabilities of yes."""
    return [[p, 1 - p] for p in probabilities]


def frequencies(counts):
    """Rows from their counts."""
    return np.array(counts) / np.sum(counts, axis=-1, keepdims=True)


# N1: Lauritzen & Spiegelhalter 1988, as coded in gRain, OpenMarkov, BUGS and Barber's toolkit
ASIA = {
    "asia": (YES_NO, "", yes(0.01)),
    "tub": (YES_NO, "asia", yes(0.05, 0.01)),
    "smoke": (YES_NO, "", yes(0.5)),
    "lung": (YES_NO, "smoke", yes(0.1, 0.01)),
    "bronc": (YES_NO, "smoke", yes(0.6, 0.3)),
    "either": (YES_NO, "tub lung", yes(1, 1, 1, 0)),
    "xray": (YES_NO, "either", yes(0.98, 0.05)),
    "dysp": (YES_NO, "bronc either", yes(0.9, 0.8, 0.7, 0.1)),
}
# N2: bnmonitor/bnRep, fire_alarm, there after Chan & Darwiche 2002
ALARM = {
    "fire": (YES_NO, "", yes(0.01)),
    "tampering": (YES_NO, "", yes(0.02)),
    "smoke": (YES_NO, "fire", yes(0.9, 0.01)),
    "alarm": (
        "true malfunction false",
        "fire tampering",
        [[0.6, 0.2, 0.2], [0.92, 0.07, 0.01], [0.65, 0.2, 0.15], [0.0001, 0.65, 0.3499]],
    ),
    "leaving": (YES_NO, "alarm", yes(0.88, 0.73, 0.001)),
    "report": (YES_NO, "leaving", yes(0.75, 0.01)),
}
# N3: Poole, bnet_t1.pl, Computational Intelligence, 1998; what it shares with N2 as there
POOLE = {
    "tampering": (YES_NO, "", yes(0.02)),
    "fire": (YES_NO, "", yes(0.01)),
    "smoke": (YES_NO, "fire", yes(0.9, 0.01)),
    "alarm": (YES_NO, "tampering fire", yes(0.5, 0.85, 0.99, 0.0001)),
    "leaving": (YES_NO, "alarm", yes(0.88, 0.001)),
    "report": (YES_NO, "leaving", yes(0.75, 0.01)),
}
# N4: bnmonitor, synthetic_bn; Leonelli & Riccomagno, IJAR 2022
SYNTHETIC = {
    "y1": ("1 2 3", "", [0.2, 0.3, 0.5]),
    "y2": ("1 2 3", "y1", [[0.2, 0.3, 0.5], [0.3, 0.3, 0.4], [0.7, 0.2, 0.1]]),
    "y3": (
        "1 2 3",
        "y1 y2",
        [
            [[0.1, 0.2, 0.7], [0.1, 0.4, 0.5], [0.8, 0.1, 0.1]],
            [[0.1, 0.3, 0.6], [0.3, 0.6, 0.1], [0.7, 0.2, 0.1]],
            [[0.2, 0.3, 0.5], [0.3, 0.5, 0.2], [0.4, 0.5, 0.1]],
        ],
    ),
}
# N5: Scutari & Denis 2014, as in bnmonitor
TRAVEL = {
    "A": ("young adult old", "", [0.3, 0.5, 0.2]),
    "S": ("M F", "", [0.6, 0.4]),
    "E": ("high uni", "A S", yes(0.75, 0.64, 0.72, 0.70, 0.88, 0.90)),
    "O": ("emp self", "E", yes(0.96, 0.92)),
}
# N6: Cooper 1984, Pearl 1988
CANCER = {
    "MC": (YES_NO, "", yes(0.2)),
    "ISC": (YES_NO, "MC", yes(0.8, 0.2)),
    "B": (YES_NO, "MC", yes(0.2, 0.05)),
    "Coma": (YES_NO, "ISC B", yes(0.8, 0.8, 0.8, 0.05)),
    "SH": (YES_NO, "B", yes(0.8, 0.6)),
}
# the same with the scan of van der Gaag
SCANNED = CANCER | {"CT": (YES_NO, "B", yes(0.95, 0.10))}
# N7: Pearl; sorobn README
BURGLARY = {
    "B": (YES_NO, "", yes(0.001)),
    "E": (YES_NO, "", yes(0.002)),
    "A": (YES_NO, "B E", yes(0.95, 0.94, 0.29, 0.001)),
    "J": (YES_NO, "A", yes(0.9, 0.05)),
    "M": (YES_NO, "A", yes(0.7, 0.01)),
}
# N8: Fenton, QMUL page "The notion of explaining away evidence"
LATE = {
    "strike": (YES_NO, "", yes(0.1)),
    "overslept": (YES_NO, "", yes(0.4)),
    "norman": (YES_NO, "strike", yes(0.8, 0.1)),
    "martin": (YES_NO, "overslept strike", yes(0.8, 0.5, 0.6, 0.5)),
}
# pyAgrum notebook BoW-c3p115, 019c3f23: P(bag on the carousel after t minutes) is t/10 if it was on the plane
MINUTES = " ".join(map(str, range(11)))
AIRPORT = {
    "plane": (YES_NO, "", yes(0.5)),
    "minute": (MINUTES, "", [1 / 11] * 11),
    "carousel": (YES_NO, "plane minute", yes(*(t / 10 for t in range(11)), *[0] * 11)),
}
# N10: pyAgrum notebook 92, 019c3f23: raw frequencies of 50 000 rows
SHAP = {
    "X1": (BINARY, "", frequencies([28713, 21287])),
    "X3": (BINARY, "", frequencies([35065, 14935])),
    "X0": (BINARY, "", frequencies([33904, 16096])),
    "X2": (BINARY, "X1", frequencies([(11531, 17182), (14897, 6390)])),
    "Z": (
        BINARY,
        "X0 X1 X3",
        frequencies(
            [
                (2463, 11198), (1644, 4183), (6719, 3411), (1375, 2911),
                (942, 5501), (2577, 205), (3969, 862), (802, 1238),
            ]
        ),
    ),
    "R": (
        "0 1 2 3 4",
        "X2 Z",
        frequencies(
            [
                (1478, 2177, 3451, 1776, 3181),
                (172, 3002, 4311, 5881, 999),
                (1405, 2199, 1706, 1845, 1273),
                (3469, 3923, 1658, 3678, 2416),
            ]
        ),
    ),
    "Y": (
        BINARY,
        "X1 X2 Z",
        frequencies(
            [
                (141, 2898), (4295, 4197), (973, 3614), (7297, 5298),
                (2918, 6106), (2494, 3379), (2109, 1732), (1367, 1182),
            ]
        ),
    ),
}  # fmt: skip  # fmt: skip
