package dev.sluice.converter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What tells without reading a file that it is still the same: {@code modified} can be set back by whoever copies over
 * it, {@code changed} cannot.
 *
 * @param modified time of the content, nanoseconds since 1970
 * @param changed time of the content or the inode, nanoseconds since 1970; 0 where the file system has none
 * @param inode 0 where the file system has none
 */
record FileState(long bytes, long modified, long changed, long inode) {

    /** Follows links: models lie behind links in Hugging Face's own cache. */
    static FileState of(Path file) throws IOException {
        if (file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            Map<String, Object> unix = Files.readAttributes(file, "unix:size,lastModifiedTime,ctime,ino");
            return new FileState(
                    (Long) unix.get("size"),
                    nanos((FileTime) unix.get("lastModifiedTime")),
                    nanos((FileTime) unix.get("ctime")),
                    (Long) unix.get("ino"));
        }
        BasicFileAttributes basic = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileState(basic.size(), nanos(basic.lastModifiedTime()), 0, 0);
    }

    /** Whether a later write would show: within one tick of the file system's clock it would not. */
    boolean settled(Instant now, Duration tick) {
        return Math.max(modified, changed) <= nanos(FileTime.from(now.minus(tick)));
    }

    private static long nanos(FileTime time) {
        return time.to(TimeUnit.NANOSECONDS);
    }
}
