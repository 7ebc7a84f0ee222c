# SPDX-License-Identifier: MIT
"""What a cache keeps, seen from inside and by two snapshots:

    MTRACE_START=0 mtracer run --out demo.mtrace -- python3 demo.py
    mtracer diff demo.mtrace@empty demo.mtrace@filled
"""
import mtrace


def fill(cache):
    for _ in range(100):
        cache.append(b"1" * 10_000)


def main():
    cache = []
    mtrace.start()
    mtrace.snapshot("empty")
    fill(cache)
    mtrace.snapshot("filled")
    del cache[40:]
    current, peak = mtrace.get_traced_memory()
    mtrace.stop()

    if not mtrace.is_loaded:
        print("not traced")
        return
    print(f"{current} bytes, {peak} at the peak")
    start, size = mtrace.get_block(id(cache[7]) + 1234)
    print(f"cache[7] is {'at the start' if start == id(cache[7]) else 'inside'} of a block of {size} bytes")
    print(f"allocated {len(mtrace.get_traceback(start))} calls deep")


if __name__ == "__main__":
    main()
