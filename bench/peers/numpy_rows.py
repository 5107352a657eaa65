"""Measures expressions for bench/peers/numpy.ts: a line of JSON in, a line of JSON out."""

import json
import sys
import time

import numpy as np

spaces = {}


def space(setup):
    """The names that a setup defines, made once."""
    if setup not in spaces:
        names = {"np": np}
        exec(setup, names)
        spaces.clear()  # Memory is for one at a time.
        spaces[setup] = names
    return spaces[setup]


def rate(setup, expression, seconds):
    """Evaluations per second."""
    names = space(setup)
    code = compile(expression, "expression", "eval")
    eval(code, names)
    runs = 0
    start = time.perf_counter()
    while True:
        eval(code, names)
        runs += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return runs / elapsed


def main():
    print(json.dumps({"numpy": np.__version__}), flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        try:
            answer = {"rate": rate(wish["setup"], wish["expression"], wish["seconds"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
