"""How a notebook shows a run: HTML without colours of its own, so that it fits light and dark."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from mlhw.reports.text import clean, percent
from mlhw.runs.judge import Judgement

_NUMBER = ' style="text-align:right"'


def run_as_html(
    name: str,
    status: str,
    error: Mapping[str, str] | None,
    summary: Mapping[str, Any],
    verdict: Judgement | None,
    path: str,
) -> str:
    """A heading, the verdict, a table of loss and accuracy, and the folder. Every text in it is escaped."""
    parts = [f"<p><strong>{_text(name)}</strong> ({_text(status)})</p>"]
    if verdict is not None:
        parts.append(f"<p><strong>{verdict.verdict}</strong>{_text(verdict.reason.removeprefix(verdict.verdict))}</p>")
    if error is not None and status == "failed":
        parts.append(f"<p>{_text(error['message'])}</p>")
    rows = [
        f"<tr><td>{split}</td><td{_NUMBER}>{summary[f'{split}_loss']:.4f}</td>"
        f"<td{_NUMBER}>{percent(summary[f'{split}_accuracy'])}</td></tr>"
        for split in ("train", "val", "test")
        if summary.get(f"{split}_loss") is not None and summary.get(f"{split}_accuracy") is not None
    ]
    if rows:
        head = f"<tr><th>split</th><th{_NUMBER}>loss</th><th{_NUMBER}>accuracy</th></tr>"
        parts.append(f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>")
        parts.append(f"<p>{_text(_facts(summary))}</p>")
    parts += [f"<p>{_text(line)}</p>" for line in summary.get("expectations", ())]
    return "".join([*parts, f"<p><code>{_text(path)}</code></p>"])


def _facts(summary: Mapping[str, Any]) -> str:
    facts = [f"epoch {summary.get('best_epoch', '?')} of {summary.get('epochs', '?')}"]
    if (parameters := summary.get("parameters")) is not None:
        facts.append(f"{parameters:,} parameters")
    if (spent := summary.get("seconds_training")) is not None:
        facts.append(f"{spent:.1f} s training")
    return ", ".join(facts)


def _text(text: str) -> str:
    return html.escape(clean(text))
