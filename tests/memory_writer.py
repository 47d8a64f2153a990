"""Inserts into a memory's folder until it is killed, and tells after each commit how many verified traces there are."""

import sys

from memory_samples import HashingEncoder, trace

from finer.memory import Memory


def main(folder: str) -> None:
    memory = Memory.open(folder, HashingEncoder())
    while True:
        start = memory.snapshot
        memory._append("failed", [trace(f"guess {start}")])
        memory._append("verified", [trace(f"count w{place}", f"db{place % 5}", step=start) for place in range(start, start + 7)])
        print(memory.commit(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
