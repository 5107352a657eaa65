"""Ray's figures for the rows that Sheaf's task benchmark has in common with it, as JSON lines {name, rate, sd, unit}.

Each row does what the row of the same name in Ray's own microbenchmark does. Usage:
python ray_rows.py [--cpus N] [--trials N] [--seconds S] [--only SUBSTRING]
"""

import argparse
import json
import os
import statistics
import sys
import time

os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import numpy as np
import ray


@ray.remote
def small_value():
    return b"ok"


@ray.remote(num_cpus=0)
class Submitter:
    def batch(self, count):
        ray.get([small_value.remote() for _ in range(count)])
        return 0


@ray.remote
def put_small(count):
    for _ in range(count):
        ray.put(0)


@ray.remote
def put_large(count):
    for _ in range(count):
        ray.put(np.zeros(10 * 1024 * 1024, dtype=np.int64))


@ray.remote
def make_references():
    return [ray.put(1) for _ in range(10_000)]


def measure(body, multiplier, trials, seconds):
    """Operations per second of each trial, after a second of warming up."""
    start = time.perf_counter()
    runs = 0
    while time.perf_counter() - start < 1 or runs == 0:
        body()
        runs += 1
    batch = runs // 10 + 1
    rates = []
    for _ in range(trials):
        start = time.perf_counter()
        done = 0
        while time.perf_counter() - start < seconds or done == 0:
            for _ in range(batch):
                body()
            done += batch
        rates.append(done * multiplier / (time.perf_counter() - start))
    return rates


def wait_one_by_one():
    pending = [small_value.remote() for _ in range(1000)]
    while pending:
        _, pending = ray.wait(pending)


def rows():
    value = ray.put(0)
    holder = make_references.remote()
    large = np.zeros(100 * 1024 * 1024, dtype=np.int64)
    submitters = [Submitter.remote() for _ in range(4)]
    count = 10_000

    yield "single client get calls", "calls/s", 1, lambda: ray.get(value)
    yield "single client put calls", "calls/s", 1, lambda: ray.put(0)
    yield "multi client put calls", "calls/s", 1000, lambda: ray.get([put_small.remote(100) for _ in range(10)])
    yield "single client put gigabytes", "GB/s", 0.8, lambda: ray.put(large)
    yield "multi client put gigabytes", "GB/s", 8, lambda: ray.get([put_large.remote(10) for _ in range(10)])
    yield "tasks and get batch", "batches/s", 1, lambda: ray.get([small_value.remote() for _ in range(1000)])
    yield "get object containing 10k refs", "gets/s", 1, lambda: ray.get(holder)
    yield "wait 1k refs", "rounds/s", 1, wait_one_by_one
    yield "single client tasks sync", "tasks/s", 1, lambda: ray.get(small_value.remote())
    yield "single client tasks async", "tasks/s", 1000, lambda: ray.get([small_value.remote() for _ in range(1000)])
    yield (
        "multi client tasks async",
        "tasks/s",
        4 * count,
        lambda: ray.get([s.batch.remote(count) for s in submitters]),
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--cpus", type=int, default=os.cpu_count())
    options.add_argument("--trials", type=int, default=3)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--only", default="")
    o = options.parse_args()
    ray.init(num_cpus=o.cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    for name, unit, multiplier, body in rows():
        if o.only not in name:
            continue
        rates = measure(body, multiplier, o.trials, o.seconds)
        sd = statistics.stdev(rates) if len(rates) > 1 else 0.0
        print(json.dumps({"name": name, "rate": statistics.median(rates), "sd": sd, "unit": unit}), flush=True)
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
