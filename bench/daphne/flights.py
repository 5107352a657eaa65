import sys
import time
import pandas as pd

args = dict(arg.split("=", 1) for arg in sys.argv[1:])
flights = pd.read_parquet(args["flights"].strip('"'))
print(len(flights))

start = time.perf_counter()
long = flights[flights.distance > 300]
groups = long.groupby("origin", sort=True).agg(n=("delay", "count"), delay=("delay", "mean"), far=("distance", "max"))
r = groups[groups.n > 10000].sort_values("delay", ascending=False)
print(r.n.sum())
print(r.delay.sum())
print(r.far.sum())
print(f"seconds {time.perf_counter() - start:.6f}")
