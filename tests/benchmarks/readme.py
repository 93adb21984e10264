"""The figures as the table of the README."""

from race import OURS
from table import PEERS


def markdown(figures):
    """The table in Markdown, with the machine and the date."""
    machine = figures["machine"]
    lines = ["| | calcinosis | pyAgrum | pgmpy | × pyAgrum | × pgmpy |", "| --- | --- | --- | --- | --- | --- |"]
    bare, rich = figures["queries"]["lines"]
    lines += [_line("one patient, ten findings, bare probabilities", bare, _time)]
    lines += [_line("the same as a `Posterior`", rich, _time)]
    for line in figures["batches"]["lines"]:
        lines.append(_line(f"{figures['batches']['rows']:,} rows, {line['question']}", line, _rate))
    for line in figures["networks"]["lines"]:
        lines.append(_line(line["question"], line, _time))
    files = [
        f"{f['rows'] // 10**6} million rows: {f['rows'] / min(f['seconds']) / 1e6:.1f} million rows/s, "
        f"at most {f['peak'] / 2**30:.2f} GiB of memory"
        for f in figures["files"]["files"]
    ]
    words = f"Measured on {figures['date']} on {machine['processor']} with {machine['cores']} cores."
    return "\n".join([*lines, "", f"From Parquet to Parquet, 25 columns: {'; '.join(files)}. {words}", ""])


def _line(words, line, shown):
    times = [shown(line["seconds"].get(name)) for name in (OURS, *PEERS)]
    ratios = [f"{line['ratios'][name]['median']:,.0f}" if name in line["ratios"] else "" for name in PEERS]
    return f"| {' | '.join([words, *times, *ratios])} |"


def _time(seconds):
    if seconds is None:
        return ""
    return f"{seconds * 1e6:,.0f} µs" if seconds > 1e-5 else f"{seconds * 1e6:.1f} µs"


def _rate(seconds):
    if seconds is None:
        return ""
    return f"{1e-6 / seconds:.1f} million/s" if seconds < 1e-6 else f"{1 / seconds:,.0f}/s"
