"""Speed and memory, measured on demand: `make bench`. Ratios against a named peer where there is one.

Each `bench_*.py` prints a JSON line a figure: `{"name", "value", "unit", "limit", "better"}`, where `limit` is what must be
reached (null where nothing is asked) and `better` says whether less or more is better.
"""
