"""How the figures were computed, in sentences that can be cited."""

from __future__ import annotations

from app.engine.evaltypes import Evaluation, Robustness
from app.engine.evaluation.report.content import Environment
from app.engine.evaluation.resampling import ENUMERATED, RESAMPLES, SIGNS
from app.engine.evaluation.statistics import MARGIN


def sentences(evaluation: Evaluation, robustness: Robustness | None = None) -> tuple[str, ...]:
    """One for each step from rankings to verdicts."""
    told = [
        f"Measures are named as ir_measures names them ({', '.join(evaluation.measures)}) and have the values of "
        "trec_eval: what is not judged counts as not relevant, and a judged query without a result counts 0. F1@k is "
        "SetF of the first k results. R@k is recall among what was judged relevant.",
        "Rankings are exact (every vector is compared) and by meaning alone, 1,000 results deep; the query's own file "
        "and copies of it are left out. An item is relevant if its grade is above 0. Items marked as unsure or for "
        "later count as not judged.",
        "Bounds say what a measure could be at least and at most, whichever of the results that it looks at and nobody "
        "judged are relevant; AP, nDCG and Rprec without a cut-off look at the whole list, and their bounds say what "
        "judging its first ten could change.",
        "Queries of one key, and queries with the very same relevant items (captions of one picture, say), are not "
        "independent and count as one wherever something is drawn or tested: their values are added, and divided by "
        "the mean number of queries that count as one. Means, wins and losses are over single queries.",
        f"Intervals are of 95%, over queries, by the Bayesian bootstrap ({RESAMPLES:,} draws with a fixed seed) "
        "of the queries seen and of half a query of either extreme value (Rubin 1981; Jeffreys' prior).",
        "Two models are compared on the queries that both answered, by a paired randomization test of the mean "
        f"difference (all changes of signs up to {ENUMERATED} queries, else {SIGNS:,} drawn with a fixed seed), with "
        "the interval that inverts it (Hartigan's typical values); p values are corrected for the number of "
        "comparisons by Holm's method. The effect size is the mean difference in "
        f"standard deviations of the differences. “Alike” means that the interval lies within ±{MARGIN:g} of what a "
        "perfect list would have on these queries, and that two one-sided tests against this margin say so, corrected "
        "by Holm's method too.",
        "Verdicts are about queries like those asked. Example queries of one class are taken for queries of their own: "
        "over them, what is said holds for these classes and the files in them, and not for other classes.",
        "A threshold goes by results judged without a gap from a query's first one on, and no deeper than where a "
        "tenth of all results above it is not judged; none is told before something was judged not relevant.",
    ]
    if robustness:
        told.append(f"Disturbances of queries are made with seed {robustness.seed}, the same for every model.")
    return tuple(told)


def software(environment: Environment) -> str:
    """``Semblance 1.0 with ir_measures 0.4.1, …``."""
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    return f"Semblance {environment.version}" + (f" with {packages}." if packages else ".")
