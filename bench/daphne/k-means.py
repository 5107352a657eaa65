import sys
import time
import numpy as np

n = int(dict(arg.split("=", 1) for arg in sys.argv[1:])["n"])
k = 50
X = np.outer(np.arange(1.0, n + 1), np.arange(1.0, 101) * 0.6180339887) % 1.0
C = X[:k]
print(C.sum())

start = time.perf_counter()
for _ in range(10):
    D = (X @ C.T) * -2.0 + (C * C).sum(axis=1)
    P = (D <= D.min(axis=1, keepdims=True)).astype(np.float64)
    P /= P.sum(axis=1, keepdims=True)
    C = (P.T @ X) / P.sum(axis=0)[:, None]
print(C.sum())
print((C * C).sum())
print(f"seconds {time.perf_counter() - start:.6f}")
