"""Evaluates expressions for bench/peers/python.ts: a line of JSON in, a line of JSON out."""

import json
import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np

CORES = int(os.environ["SHEAF_BENCH_CORES"])
PACKAGES = ("numpy", "scipy", "pandas", "dask")

spaces = {}


def pieces(x):
    """For dask.array: blocks of rows, of about a million elements each, and one for each core at least."""
    import dask
    import dask.array as da

    dask.config.set(scheduler="threads", num_workers=CORES)
    count = max(CORES, round(x.size / 1e6))
    return da.from_array(x, chunks=(-(-x.shape[0] // count), *x.shape[1:]), name=False)


def space(setup):
    """The names that a setup defines, made once."""
    if setup not in spaces:
        spaces.clear()  # Memory is for one at a time.
        names = {"np": np, "pieces": pieces}
        exec(setup, names)
        spaces[setup] = names
    return spaces[setup]


def rate(code, names, seconds):
    """Evaluations per second."""
    eval(code, names)
    runs = 0
    start = time.perf_counter()
    while True:
        eval(code, names)
        runs += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return runs / elapsed


def rate_after_pauses(code, names, seconds, pause):
    """Evaluations per second, if all were as the one in the middle; before each is a pause."""
    times = []
    for _ in range(max(3, int(seconds / pause))):
        time.sleep(pause)
        start = time.perf_counter()
        eval(code, names)
        times.append(time.perf_counter() - start)
    return 1 / sorted(times)[len(times) // 2]


def value(code, names, most):
    """The shape, and elements at equal distances, `most` at most."""
    result = np.asarray(eval(code, names))
    step = max(1, -(-result.size // most))
    return {"shape": result.shape, "values": result.ravel()[::step].astype(np.float64).tolist()}


def settle():
    """Threads of BLAS look for more work for a tenth of a second: until they sleep, at most a second."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.01)
        if time.process_time() - before < 0.002:
            return


def versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    return found


def main():
    print(json.dumps(versions()), flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        try:
            names = space(wish["setup"])
            code = compile(wish["expression"], "expression", "eval")
            if "pause" in wish:
                eval(code, names)
                answer = {"rate": rate_after_pauses(code, names, wish["seconds"], wish["pause"])}
            elif "seconds" in wish:
                answer = {"rate": rate(code, names, wish["seconds"])}
            else:
                answer = value(code, names, wish["most"])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        settle()
        print(json.dumps(answer), flush=True)


main()
