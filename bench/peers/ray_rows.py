"""Ray's figures for the rows that Sheaf's task benchmark has in common with it, as JSON lines {name, rate, sd, unit}.

Each row does what the row of the same name in Ray's own microbenchmark does. Usage:
python ray_rows.py [--cpus N] [--trials N] [--seconds S] [--only SUBSTRING]
"""

import argparse
import json
import os
import signal
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


@ray.remote(num_cpus=0)
class Echo:
    def small_value(self):
        return b"ok"

    def takes(self, value):
        return b"ok"


@ray.remote(num_cpus=0)
class AsyncEcho:
    async def small_value(self):
        return b"ok"

    async def takes(self, value):
        return b"ok"


@ray.remote(num_cpus=0)
class Client:
    def __init__(self, servers):
        self.servers = servers

    def batch(self, count):
        ray.get([server.small_value.remote() for server in self.servers for _ in range(count)])

    def batch_with_arg(self, count):
        value = ray.put(0)
        ray.get([server.takes.remote(value) for server in self.servers for _ in range(count)])


@ray.remote
def call_servers(servers, count):
    ray.get([servers[i % len(servers)].small_value.remote() for i in range(count)])


@ray.remote(num_cpus=0, max_restarts=-1)
class Mortal:
    def pid(self):
        return os.getpid()


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


ACTOR_ROWS = (
    "1:1 actor calls sync",
    "1:1 actor calls async",
    "1:1 actor calls concurrent",
    "1:n actor calls async",
    "n:n actor calls async",
    "n:n actor calls with arg async",
    "1:1 async-actor calls sync",
    "1:1 async-actor calls async",
    "1:1 async-actor calls with args async",
    "1:n async-actor calls async",
    "n:n async-actor calls async",
)


def actor_rows(cpus):
    servers = [Echo.remote() for _ in range(max(1, cpus // 2))]
    async_servers = [AsyncEcho.remote() for _ in servers]
    concurrent = Echo.options(max_concurrency=16).remote()
    clients = [Client.remote([server]) for server in servers]
    client, async_client = Client.remote(servers), Client.remote(async_servers)
    n = len(servers)

    def many(actor):
        return lambda: ray.get([actor.small_value.remote() for _ in range(1000)])

    def from_tasks(to):
        return lambda: ray.get([call_servers.remote(to, 5000) for _ in range(4)])

    yield 1, lambda: ray.get(servers[0].small_value.remote())
    yield 1000, many(servers[0])
    yield 1000, many(concurrent)
    yield 5000 * n, lambda: ray.get(client.batch.remote(5000))
    yield 20_000, from_tasks(servers)
    yield (
        1000 * n,
        lambda: ray.get([each.batch_with_arg.remote(1000) for each in clients]),
    )
    yield 1, lambda: ray.get(async_servers[0].small_value.remote())
    yield 1000, many(async_servers[0])
    yield (
        1000,
        lambda: ray.get([async_servers[0].takes.remote(i) for i in range(1000)]),
    )
    yield 5000 * n, lambda: ray.get(async_client.batch.remote(5000))
    yield 20_000, from_tasks(async_servers)


KILLED = "actor killed to next answered call"


def answered_again(mortal):
    """Milliseconds from the death of an actor's process to the first call that is answered again."""
    pid = ray.get(mortal.pid.remote())
    time.sleep(0.05)
    start = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while True:
        try:
            if ray.get(mortal.pid.remote()) != pid:
                return (time.perf_counter() - start) * 1000
        except ray.exceptions.RayError:
            time.sleep(0.001)


def report(name, unit, figures):
    sd = statistics.stdev(figures) if len(figures) > 1 else 0.0
    print(json.dumps({"name": name, "rate": statistics.median(figures), "sd": sd, "unit": unit}), flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--cpus", type=int, default=os.cpu_count())
    options.add_argument("--trials", type=int, default=3)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--only", default="")
    o = options.parse_args()
    ray.init(num_cpus=o.cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    for name, unit, multiplier, body in rows():
        if o.only in name:
            report(name, unit, measure(body, multiplier, o.trials, o.seconds))
    if o.only in KILLED:
        mortal = Mortal.remote()
        report(KILLED, "ms", [answered_again(mortal) for _ in range(o.trials)])
    if any(o.only in name for name in ACTOR_ROWS):
        for name, (multiplier, body) in zip(ACTOR_ROWS, actor_rows(o.cpus)):
            if o.only in name:
                report(name, "calls/s", measure(body, multiplier, o.trials, o.seconds))
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
