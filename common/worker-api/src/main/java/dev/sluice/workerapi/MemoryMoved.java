package dev.sluice.workerapi;

/**
 * What {@code /offload} or {@code /onload} did.
 *
 * @param bytes moved or dropped, of all ranks
 * @param usedBefore bytes in use on the fullest of the worker's GPUs, by whomever
 * @param usedAfter the same afterwards
 */
public record MemoryMoved(long bytes, long usedBefore, long usedAfter, double seconds) {}
