"""Two hundred films while 30 % of a vendor's answers go wrong: `python benchmarks/storm.py`.

Prints what became of them and how the vendor's books and ours compare; `tests/storm.py` says how.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.storm import KINDS, Report, storm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as home:
        show(storm(Path(home), runs=options.runs, seed=options.seed, workers=options.workers))


def show(report: Report) -> None:
    runs, calls = len(report.films), sum(report.calls.values())
    failed = Counter(
        f"{type(film.error).__name__} {film.error.code} {film.error.stage}"
        for film in report.films
        if film.error
    )
    print(f"films                      {runs} in {report.seconds:.0f} s")
    print(f"calls                      {calls}, {report.faults / calls:.1%} met a fault")
    print(f"completed                  {report.completed}")
    print(f"ended by billing, refusal  {report.excused}")
    print(f"ended otherwise            {runs - report.completed - report.excused}")
    print(f"completed by resuming      {sum(film.resumed for film in report.films)}")
    print(f"other errors than due      {len(report.wrong_errors)}")
    print(f"asked again after good     {len(report.bought_twice)}")
    print(f"billed and asked again     {report.again_ambiguous} ambiguous, {report.again_bad} bad")
    print(f"vendor's bill              ${report.billed:.6f}")
    print(f"our ledger                 ${report.counted:.6f}")
    print(f"differences that must not  {len(report.wrong_money)}")
    print(f"keys found                 {len(report.leaks)} in {report.bytes_looked_at:,} bytes")
    print("\noutcome    calls      billed     counted")
    for outcome, (number, billed, counted) in sorted(report.doubtful.items()):
        print(f"{outcome:9} {number:6} {billed:11.6f} {counted:11.6f}")
    print("\nfaults dealt")
    for kind in dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds):
        row = (f"{report.dealt[stage, kind] or '-':>8}" for stage in KINDS)
        print(f"{kind:14}" + "".join(row))
    print(f"{'':14}" + "".join(f"{stage:>8}" for stage in KINDS))
    print("\nerrors")
    for error, count in failed.most_common():
        print(f"{count:4} {error}")
    for problem in (
        *report.wrong_errors,
        *report.bought_twice,
        *report.wrong_money,
        *report.leaks,
    ):
        print(problem)


if __name__ == "__main__":
    main()
