package dev.sluice.workerapi;

/**
 * What {@code /forward} wrote.
 *
 * @param out the file, complete
 * @param sha256 its hash, hexadecimal
 * @param tokens tokens computed
 */
public record ForwardResult(String out, String sha256, int tokens, double seconds) {}
