"""Cohorts: a file of patients in, a file of answers out, in bounded memory, on one machine or a cluster.

On a Dask cluster, with `pip install "calcinosis[dask]"`::

    import calcinosis as cc
    answers = cc.cohort.score(patients, cc.load())      # a Dask DataFrame in, one out, same index

On Spark, the same pure function (the schema names what comes out: the columns that are no findings, then the answer)::

    import calcinosis as cc

    model = cc.load()

    def score(batches):
        for batch in batches:
            yield cc.cohort.score_batch(batch, model)

    own = [f"{state} double" for state in model.states] + ["leading string", "log_evidence double", "status string"]
    answers = patients.mapInArrow(score, schema=", ".join(["id string", *own]))
"""

from calcinosis.interface.cohort.batch import answer_schema as answer_schema
from calcinosis.interface.cohort.batch import score_batch as score_batch
from calcinosis.interface.cohort.streaming import Summary as Summary
from calcinosis.interface.cohort.streaming import on_cluster as on_cluster
from calcinosis.interface.cohort.streaming import run as run
from calcinosis.interface.cohort.streaming import score as score

__all__ = [
    "Summary",
    "answer_schema",
    "on_cluster",
    "run",
    "score",
    "score_batch",
]
