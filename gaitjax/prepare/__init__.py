"""From what a researcher receives to the folders that training reads: `python -m gaitjax.prepare`.

One module for each data set lists the source as a `Plan` of `Job`s and makes one sequence
from one job; `run` does the jobs in parallel, keeps what is finished and writes the log and
the summary.
"""
