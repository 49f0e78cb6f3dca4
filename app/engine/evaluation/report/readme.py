"""What an export says of itself."""

README = """An evaluation by Semblance {version}: “{name}”, {made_at}

evaluation.json   the set with its guidelines, the queries, all judgments by all judges with their marks (-1 unsure, -2
                  for later), what was asked for, the figures, what the models cost, the machine and the versions of the
                  software, and the names of all these files
rankings/         what every model found, with similarities: evaluation.json says which file is whose
measures.csv      the means of every measure for every model, with intervals (95 %) and bounds
per_query.csv     every measure of every query for every model
comparisons.csv   every two models compared by {measure}
topics.tsv        the queries: TREC query id, title
qrels.txt         the judgments that were used, as TREC qrels; qrels.<judge>.txt: those of one judge
runs/MODEL.run    the rankings of a model as a TREC run, and runs/MODEL.qrels the judgments that it is measured by:
                  of the queries it answers, on the kinds of files it can find, among files that were there

A document is named by the SHA-256 of its file's bytes and its kind: <sha256>:photo, <sha256>:frame:<ms>,
<sha256>:audio:<ms>. Query ids are made of what is asked for: text:red%20dress, image:<sha256>, sound:<sha256>. So both
mean the same in every library. Scores in a run count down from the length of the list, for the order is what counts;
the similarities are in rankings/.

To check the figures without Semblance:   ir_measures runs/MODEL.qrels runs/MODEL.run {measure} AP nDCG@10
(F1@k is SetF on the first k results.) With it:   semblance report --recompute FOLDER
To go on in another library that holds the same files:   semblance report --import FOLDER

Computed from rankings and judgments, and so again from this folder alone: every measure with its interval and bounds,
comparisons, thresholds, the agreement of judges, the frontier. Measured on the machine, and only written down here:
times, memory and sizes (costs), what the index loses (index_recall), and how disturbed queries fare (robustness), for
which the models and the files are asked again.

What is personal in here: the words of the queries and their guidelines, the names of judges, the names of the files in
rankings, judgments and queries with their folders below the library's own, the name of the library, and a description
of the machine. No picture, no sound, no path above the library's folders, no account and no password.
In CSV files and in the titles of topics.tsv, text that begins with = + - @ or an apostrophe has an apostrophe put in
front, so that no spreadsheet computes it: take one away to have the text. evaluation.json has every text as it is.
"""
