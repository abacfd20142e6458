package dev.sluice.checkpoint;

import java.nio.file.Path;

/**
 * The bytes of a file that hold a tensor.
 *
 * @param position of its first byte in the file
 */
public record TensorPlace(Path file, long position, long bytes) {}
