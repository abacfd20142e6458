package dev.sluice.checkpoint;

import java.nio.file.Path;

/**
 * What a conversion left that broke off and was not asked for again.
 *
 * @param directory hidden, beside the target; may be deleted unless a process still writes it
 * @param bytes that it claims to have written
 */
public record UnfinishedConversion(Path directory, long bytes) {}
