"""Random weights that C++ and Python agree on: Philox4x32-10 as in src/base/random.h, keyed by (seed, tensor number)."""

import numpy as np

_MASK = np.uint64(0xFFFFFFFF)


def _philox_first_word(key: int, counters: np.ndarray, high: int) -> np.ndarray:
    c = [counters & _MASK, counters >> np.uint64(32), np.full_like(counters, high & 0xFFFFFFFF), np.full_like(counters, high >> 32)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]
        p1 = np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & _MASK, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & _MASK]
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c[0]


def uniform(seed: int, count: int, stream: int) -> np.ndarray:
    """float32 in [0, 1): element i is uniform(seed, i, stream) of base/random."""
    words = _philox_first_word(seed, np.arange(count, dtype=np.uint64), stream)
    return (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)


def tensor(seed: int, stream: int, shape: tuple[int, ...], centre: float, spread: float) -> np.ndarray:
    """centre + (u - 0.5) * spread, each operation rounded to float32."""
    u = uniform(seed, int(np.prod(shape)), stream)
    return (np.float32(centre) + (u - np.float32(0.5)) * np.float32(spread)).reshape(shape)
