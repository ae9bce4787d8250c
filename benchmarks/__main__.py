"""`make bench [ARGS="store day"]`: run the named benchmarks (all by default), each in a process of its own, and tabulate."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark is called {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print(f"{'figure':58} {'value':>10} {'unit':12} {'must be':>10}  ")
    failed = 0
    for name in names or known:
        command = [sys.executable, "-m", f"benchmarks.bench_{name}"]
        process = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True)
        rows = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
        for row in rows:
            failed += not show(row)
        if process.returncode:
            failed += 1
            print(f"{name} ended with status {process.returncode}", file=sys.stderr)
    return 1 if failed else 0


def environment() -> dict[str, str]:
    """What is measured is not how whoever measures has set scout up; SCOUT_MILLION is where a benchmark's own database is."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("SCOUT_") or name == "SCOUT_MILLION"
    }


def show(row: dict[str, object]) -> bool:
    """Print one figure; False where it misses its limit."""
    value, limit, less = float(str(row["value"])), row.get("limit"), row.get("better") == "less"
    reached = limit is None or (value <= float(str(limit)) if less else value >= float(str(limit)))
    must = "" if limit is None else f"{'≤' if less else '≥'} {float(str(limit)):g}"
    print(
        f"{row['name']!s:58} {value:10.4g} {row['unit']!s:12} {must:>10}  {'' if reached else 'MISSED'} {row.get('note', '')}"
    )
    return reached


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
