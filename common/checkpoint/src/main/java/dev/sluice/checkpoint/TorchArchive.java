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
    /** Stands for what does not fit 32 bits. */
    private static final long ZIP64 = 0xFFFF_FFFFL;

    private static final int MAX_NAME_BYTES = 0xFFFF;
    /** What is checksummed at a time: an entry may be larger than a buffer. */
    private static final long CHECKED_BYTES = 64L << 20;

    private static final int MAX_ENTRIES = 20_000;

    private final String where;
    private final ByteRange bytes;
    private final Map<String, Stored> entries = new HashMap<>();
    private String root = "";

    private record Stored(String path, long at, long bytes, int crc) {}

    private TorchArchive(ByteRange bytes, String where) {
        this.bytes = bytes;
        this.where = where;
    }

    /**
     * Reads the directory of an archive.
     *
     * @param where what this is, for messages
     */
    static TorchArchive open(ByteRange bytes, String where) {
        TorchArchive archive = new TorchArchive(bytes, where);
        archive.readDirectory();
        return archive;
    }

    /** The pickled object; its tensors refer to {@link #storage}. */
    PickleValue pickle() {
        ByteRange order = find("byteorder");
        if (order != null
                && !text(order, 0, Math.min(order.bytes(), MAX_NAME_BYTES)).equals("little")) {
            throw broken("was saved on a big-endian machine, which is not supported");
        }
        ByteRange pickle = entry("data.pkl");
        return PickleReader.read(pickle.slice(0, pickle.bytes()), where + " data.pkl");
    }

    /** The bytes of a storage. */
    ByteRange storage(String key) {
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

    private ByteRange entry(String name) {
        ByteRange found = find(name);
        if (found == null) {
            throw broken("has no entry " + name);
        }
        return found;
    }

    private @Nullable ByteRange find(String name) {
        Stored entry = entries.get(root + "/" + name);
        if (entry == null) {
            return null;
        }
        ByteRange content = bytes.range(contentBegin(entry), entry.bytes);
        CRC32 crc = new CRC32();
        for (long done = 0; done < entry.bytes; done += CHECKED_BYTES) {
            crc.update(content.slice(done, Math.min(CHECKED_BYTES, entry.bytes - done)));
        }
        if ((int) crc.getValue() != entry.crc) {
            throw broken("has a damaged entry %s: its checksum is %08x, not %08x"
                    .formatted(entry.path, crc.getValue(), entry.crc));
        }
        return content;
    }

    private long contentBegin(Stored entry) {
        check(entry.at, LOCAL_BYTES);
        ByteBuffer record = bytes.slice(entry.at, LOCAL_BYTES);
        int nameBytes = Short.toUnsignedInt(record.getShort(26));
        int extraBytes = Short.toUnsignedInt(record.getShort(28));
        check(entry.at + LOCAL_BYTES + nameBytes + extraBytes, entry.bytes);
        boolean agrees = record.getInt(0) == LOCAL_RECORD
                && text(bytes, entry.at + LOCAL_BYTES, nameBytes).equals(entry.path);
        if (!agrees) {
            throw broken("has an entry %s whose own header disagrees with the directory".formatted(entry.path));
        }
        return entry.at + LOCAL_BYTES + nameBytes + extraBytes;
    }

    private void readDirectory() {
        ByteBuffer end = findEnd();
        int count = Short.toUnsignedInt(end.getShort(10));
        long at = Integer.toUnsignedLong(end.getInt(16));
        if (at == ZIP64) {
            throw broken("has more than 4 GiB, which is not read; save the tensor on more tensor-parallel ranks");
        }
        if (count == 0 || count > MAX_ENTRIES) {
            throw broken("claims %d entries; 1 to %d are read".formatted(count, MAX_ENTRIES));
        }
        long begin = at;
        for (int i = 0; i < count; i++) {
            check(at, CENTRAL_BYTES);
            at += readEntry(at);
        }
        checkOneDirectory(begin, at, count, end);
    }

    /**
     * Readers of zip files look for the directory where the end record says, just before that record, or where a zip64 record says, which torch always
     * writes. They must all find the same one.
     */
    private void checkOneDirectory(long begin, long directoryEnd, int count, ByteBuffer end) {
        long size = Integer.toUnsignedLong(end.getInt(12));
        long endAt = bytes.bytes() - END_BYTES - Short.toUnsignedInt(end.getShort(20));
        boolean one = directoryEnd == endAt
                || directoryEnd == endAt - ZIP64_BYTES && agrees(directoryEnd, count, size, begin);
        if (!one || directoryEnd - begin != size) {
            throw broken("has a directory of %d bytes at byte %d, which does not end before its end record at byte %d"
                    .formatted(size, begin, endAt));
        }
    }

    private boolean agrees(long zip64At, int count, long size, long begin) {
        ByteBuffer record = bytes.slice(zip64At, ZIP64_BYTES);
        return record.getInt(0) == ZIP64_RECORD
                && record.getLong(32) == count
                && record.getLong(40) == size
                && record.getLong(48) == begin
                && record.getLong(ZIP64_BYTES - ZIP64_LOCATOR_BYTES + 8) == zip64At;
    }

    private int readEntry(long at) {
        ByteBuffer record = bytes.slice(at, CENTRAL_BYTES);
        if (record.getInt(0) != CENTRAL_RECORD) {
            throw broken("has a broken directory at byte " + at);
        }
        int method = Short.toUnsignedInt(record.getShort(10));
        long stored = Integer.toUnsignedLong(record.getInt(20));
        long plain = Integer.toUnsignedLong(record.getInt(24));
        int nameBytes = Short.toUnsignedInt(record.getShort(28));
        long local = Integer.toUnsignedLong(record.getInt(42));
        check(at + CENTRAL_BYTES, nameBytes);
        String path = text(bytes, at + CENTRAL_BYTES, nameBytes);
        if (method != 0 || stored != plain) {
            throw broken("has the compressed entry %s; torch stores entries uncompressed".formatted(path));
        }
        check(local, plain);
        if (entries.put(path, new Stored(path, local, plain, record.getInt(16))) != null) {
            throw broken("has two entries " + path);
        }
        if (root.isEmpty()) {
            root = path.substring(0, Math.max(0, path.indexOf('/')));
        }
        int extraBytes = Short.toUnsignedInt(record.getShort(30));
        int commentBytes = Short.toUnsignedInt(record.getShort(32));
        return CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
    }

    private ByteBuffer findEnd() {
        long tailBytes = Math.min(bytes.bytes(), END_BYTES + MAX_COMMENT_BYTES);
        ByteBuffer tail = bytes.slice(bytes.bytes() - tailBytes, tailBytes);
        for (int at = tail.limit() - END_BYTES; at >= 0; at--) {
            if (tail.getInt(at) == END_RECORD
                    && at + END_BYTES + Short.toUnsignedInt(tail.getShort(at + 20)) == tail.limit()) {
                return tail.slice(at, END_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            }
        }
        throw broken("is not a zip archive of torch.save; it is cut short or overwritten");
    }

    private static String text(ByteRange bytes, long at, long length) {
        return StandardCharsets.UTF_8.decode(bytes.slice(at, length)).toString();
    }

    private void check(long at, long length) {
        if (at < 0 || length > bytes.bytes() || at > bytes.bytes() - length) {
            throw broken("points to bytes %d to %d of %d".formatted(at, at + length, bytes.bytes()));
        }
    }

    private CheckpointException broken(String what) {
        return new CheckpointException(where + " " + what);
    }
}
