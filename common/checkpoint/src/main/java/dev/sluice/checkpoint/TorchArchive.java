package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleReader;
import dev.sluice.checkpoint.pickle.PickleValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The zip that {@code torch.save} writes, read through its central directory. Every position is checked against the buffer, entries must be
 * stored uncompressed, and an entry's checksum is verified when it is read.
 */
final class TorchArchive {
    private static final int END_RECORD = 0x06054b50;
    private static final int CENTRAL_RECORD = 0x02014b50;
    private static final int LOCAL_RECORD = 0x04034b50;
    private static final int END_BYTES = 22;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL_BYTES = 30;
    private static final int ZIP64_RECORD = 0x06064b50;
    private static final int ZIP64_LOCATOR_BYTES = 20;
    /** The record and its locator. */
    private static final int ZIP64_BYTES = 56 + ZIP64_LOCATOR_BYTES;

    private static final int MAX_COMMENT_BYTES = 0xFFFF;
    private static final int MAX_ENTRIES = 20_000;

    private final String where;
    private final ByteBuffer bytes;
    private final Map<String, Stored> entries = new HashMap<>();
    private String root = "";

    private record Stored(String path, int at, int bytes, int crc) {}

    private TorchArchive(ByteBuffer bytes, String where) {
        this.bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.where = where;
    }

    /**
     * Reads the directory of an archive.
     *
     * @param where what this is, for messages
     */
    static TorchArchive open(ByteBuffer bytes, String where) {
        TorchArchive archive = new TorchArchive(bytes, where);
        archive.readDirectory();
        return archive;
    }

    /** The pickled object; its tensors refer to {@link #storage}. */
    PickleValue pickle() {
        ByteBuffer order = find("byteorder");
        if (order != null && !StandardCharsets.US_ASCII.decode(order).toString().equals("little")) {
            throw broken("was saved on a big-endian machine, which is not supported");
        }
        return PickleReader.read(entry("data.pkl"), where + " data.pkl");
    }

    /** The bytes of a storage. */
    ByteBuffer storage(String key) {
        return entry("data/" + key);
    }

    /** Position of a storage's first byte in the archive; its checksum is not verified. */
    long storageBegin(String key) {
        return contentBegin(storageEntry(key));
    }

    /** Size of a storage; its bytes are not looked at. */
    long storageBytes(String key) {
        return storageEntry(key).bytes;
    }

    private Stored storageEntry(String key) {
        Stored entry = entries.get(root + "/data/" + key);
        if (entry == null) {
            throw broken("has no entry data/" + key);
        }
        return entry;
    }

    private ByteBuffer entry(String name) {
        ByteBuffer found = find(name);
        if (found == null) {
            throw broken("has no entry " + name);
        }
        return found;
    }

    private @Nullable ByteBuffer find(String name) {
        Stored entry = entries.get(root + "/" + name);
        if (entry == null) {
            return null;
        }
        ByteBuffer content = bytes.slice(contentBegin(entry), entry.bytes);
        CRC32 crc = new CRC32();
        crc.update(content.duplicate());
        if ((int) crc.getValue() != entry.crc) {
            throw broken("has a damaged entry %s: its checksum is %08x, not %08x"
                    .formatted(entry.path, crc.getValue(), entry.crc));
        }
        return content.order(ByteOrder.LITTLE_ENDIAN);
    }

    private int contentBegin(Stored entry) {
        check(entry.at, LOCAL_BYTES);
        int nameBytes = Short.toUnsignedInt(bytes.getShort(entry.at + 26));
        int extraBytes = Short.toUnsignedInt(bytes.getShort(entry.at + 28));
        check((long) entry.at + LOCAL_BYTES + nameBytes + extraBytes, entry.bytes);
        boolean agrees = bytes.getInt(entry.at) == LOCAL_RECORD
                && text(entry.at + LOCAL_BYTES, nameBytes).equals(entry.path);
        if (!agrees) {
            throw broken("has an entry %s whose own header disagrees with the directory".formatted(entry.path));
        }
        return entry.at + LOCAL_BYTES + nameBytes + extraBytes;
    }

    private void readDirectory() {
        int end = findEnd();
        int count = Short.toUnsignedInt(bytes.getShort(end + 10));
        long at = Integer.toUnsignedLong(bytes.getInt(end + 16));
        if (count == 0 || count > MAX_ENTRIES) {
            throw broken("claims %d entries; 1 to %d are read".formatted(count, MAX_ENTRIES));
        }
        long begin = at;
        for (int i = 0; i < count; i++) {
            check(at, CENTRAL_BYTES);
            at += readEntry((int) at);
        }
        checkOneDirectory(begin, at, count, end);
    }

    /**
     * Readers of zip files look for the directory where the end record says, just before that record, or where a zip64 record says, which torch always
     * writes. They must all find the same one.
     */
    private void checkOneDirectory(long begin, long directoryEnd, int count, int end) {
        long size = Integer.toUnsignedLong(bytes.getInt(end + 12));
        boolean one = directoryEnd == end
                || directoryEnd == end - ZIP64_BYTES
                        && bytes.getInt(end - ZIP64_BYTES) == ZIP64_RECORD
                        && bytes.getLong(end - ZIP64_BYTES + 32) == count
                        && bytes.getLong(end - ZIP64_BYTES + 40) == size
                        && bytes.getLong(end - ZIP64_BYTES + 48) == begin
                        && bytes.getLong(end - ZIP64_LOCATOR_BYTES + 8) == end - ZIP64_BYTES;
        if (!one || directoryEnd - begin != size) {
            throw broken("has a directory of %d bytes at byte %d, which does not end before its end record at byte %d"
                    .formatted(size, begin, end));
        }
    }

    private int readEntry(int at) {
        if (bytes.getInt(at) != CENTRAL_RECORD) {
            throw broken("has a broken directory at byte " + at);
        }
        int method = Short.toUnsignedInt(bytes.getShort(at + 10));
        long stored = Integer.toUnsignedLong(bytes.getInt(at + 20));
        long plain = Integer.toUnsignedLong(bytes.getInt(at + 24));
        int nameBytes = Short.toUnsignedInt(bytes.getShort(at + 28));
        long local = Integer.toUnsignedLong(bytes.getInt(at + 42));
        check((long) at + CENTRAL_BYTES, nameBytes);
        String path = text(at + CENTRAL_BYTES, nameBytes);
        if (method != 0 || stored != plain) {
            throw broken("has the compressed entry %s; torch stores entries uncompressed".formatted(path));
        }
        check(local, plain);
        if (entries.put(path, new Stored(path, (int) local, (int) plain, bytes.getInt(at + 16))) != null) {
            throw broken("has two entries " + path);
        }
        if (root.isEmpty()) {
            root = path.substring(0, Math.max(0, path.indexOf('/')));
        }
        int extraBytes = Short.toUnsignedInt(bytes.getShort(at + 30));
        int commentBytes = Short.toUnsignedInt(bytes.getShort(at + 32));
        return CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
    }

    private int findEnd() {
        int last = bytes.limit() - END_BYTES;
        for (int at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
            if (bytes.getInt(at) == END_RECORD
                    && at + END_BYTES + Short.toUnsignedInt(bytes.getShort(at + 20)) == bytes.limit()) {
                return at;
            }
        }
        throw broken("is not a zip archive of torch.save; it is cut short or overwritten");
    }

    private String text(int at, int length) {
        return StandardCharsets.UTF_8.decode(bytes.slice(at, length)).toString();
    }

    private void check(long at, long length) {
        if (at < 0 || length > bytes.limit() || at > bytes.limit() - length) {
            throw broken("points to bytes %d to %d of %d".formatted(at, at + length, bytes.limit()));
        }
    }

    private CheckpointException broken(String what) {
        return new CheckpointException(where + " " + what);
    }
}
