"""Draw what films cost against how long they are, from the JSON of `render.py`.

python benchmarks/plot.py benchmarks/results/reference.json docs/benchmarks.png
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

# Of each length the film with the fewest scenes.
_LINES = {
    "MoviePy, nested": ("MoviePy, nested composites", "#b2182b", "o:"),
    "MoviePy, leanest": ("MoviePy, one composite", "#ef8a62", "o:"),
    "ours, renderer=moviepy": ('VisionPulse, renderer="moviepy"', "#9970ab", "s-"),
    "x264 alone, veryfast": ("x264 veryfast alone, frames ready-made", "#878787", "^--"),
    "x264 alone, our settings": ("x264 alone, our settings, frames ready-made", "#bababa", "v--"),
    "ours": ("VisionPulse, everything included", "#2166ac", "o-"),
}


def points(report: dict[str, Any]) -> dict[str, dict[float, float]]:
    """Return CPU seconds by candidate and seconds of film."""
    found: dict[str, dict[float, tuple[int, float]]] = defaultdict(dict)
    most = max(each.get("cores", 0) for each in report["results"])
    for each in report["results"]:
        if "medians" not in each or "film" not in each or each.get("cores", most) != most:
            continue
        seconds, scenes = each["film"].split("x")
        for name, median in each["medians"].items():
            here = (int(scenes), median["cpu"])
            found[name][float(seconds)] = min(found[name].get(float(seconds), here), here)
    return {name: {x: cpu for x, (_, cpu) in sorted(of.items())} for name, of in found.items()}


def main() -> None:
    """Draw it."""
    report = json.loads(Path(sys.argv[1]).read_text())
    found = points(report)
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for name, (label, colour, style) in _LINES.items():
        if name in found:
            axes.plot(*zip(*found[name].items(), strict=True), style, color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="length of the film, seconds", ylabel="CPU seconds")
    axes.set_title("What a 1920x1080 film of 30 frames a second costs", loc="left")
    lengths = sorted({x for of in found.values() for x in of})
    axes.set_xticks(lengths, [f"{x:g}" for x in lengths], minor=False)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    machine = report["machine"]
    figure.supxlabel(
        f"{machine['processor']}, {machine['cores']} cores; medians of paired runs", size=8
    )
    figure.savefig(sys.argv[2], dpi=150)


if __name__ == "__main__":
    main()
