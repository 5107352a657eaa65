import sys
import time
import numpy as np

n = int(dict(arg.split("=", 1) for arg in sys.argv[1:])["n"])
i = np.arange(1.0, n + 1)
X = np.outer(i, np.arange(1.0, 101) * 0.6180339887) % 1.0
y = X @ np.arange(1.0, 101) + (i * 0.7548776662) % 1.0
print(y.sum())

start = time.perf_counter()
A = X.T @ X + np.diag(np.full(100, 0.001))
b = X.T @ y
beta = np.linalg.solve(A, b)
r = y - X @ beta
print(beta.sum())
print((r * r).sum())
print(f"seconds {time.perf_counter() - start:.6f}")
