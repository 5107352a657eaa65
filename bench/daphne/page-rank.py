import sys
import time
import numpy as np
import scipy.sparse

n = int(dict(arg.split("=", 1) for arg in sys.argv[1:])["n"])
random = np.random.default_rng(42)
edges = 10 * n
G = scipy.sparse.coo_matrix((np.ones(edges), (random.integers(0, n, edges), random.integers(0, n, edges))), shape=(n, n)).tocsr()
p = np.full(n, 1.0 / n)
print(G.sum())

start = time.perf_counter()
for _ in range(20):
    q = (G @ p) * 0.85 + 0.15 / n
    p = q / q.sum()
print(p.sum())
print(f"seconds {time.perf_counter() - start:.6f}")
