package dev.sluice.workerapi;

/**
 * What {@code /export} or {@code /save} wrote.
 *
 * @param dir the directory, complete
 * @param manifest the file that lists all others with size and hash
 * @param manifestSha256 hash of the manifest, hexadecimal: it stands for all of the content
 * @param bytes of all files
 */
public record FilesWritten(String dir, String manifest, String manifestSha256, long bytes, double seconds) {}
