package dev.sluice.workerapi;

/**
 * What {@code /weights/send} did.
 *
 * @param tensors under their Hugging Face names
 * @param bytes of all of them, to each engine
 */
public record Sent(int tensors, long bytes, double seconds) {}
