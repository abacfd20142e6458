package dev.sluice.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the zip of {@code torch.save} in one pass, laid out as torch 2.11 does: stored entries aligned to 64 bytes by an 'FB' extra field, sizes
 * and checksums behind the data.
 */
final class TorchArchiveWriter {
    private static final int ALIGNMENT = 64;
    /** Data descriptor, UTF-8 names. */
    private static final short FLAGS = 0x0808;
    /** Larger ones would need zip64 sizes; an embedding of 151,936 x 8,192 has 2.5 GB in bfloat16. */
    private static final long MAX_ENTRY_BYTES = 0xFFFF_FFFEL;

    private final ChecksumChannel out;
    private final String root;
    private final List<Central> directory = new ArrayList<>();

    private record Central(byte[] path, int crc, int bytes, int at) {}

    /**
     * What an archive with one storage will look like; its content does not matter.
     *
     * @param bytes size of the archive
     * @param storageBegin position of the storage's first byte in it
     */
    record Measure(long bytes, long storageBegin) {}

    private TorchArchiveWriter(WritableByteChannel out, String root) {
        this.out = new ChecksumChannel(out);
        this.root = root;
    }

    /** Writes an object and returns the archive's size in bytes. */
    static long write(WritableByteChannel out, String root, byte[] pickle) throws IOException {
        TorchArchiveWriter writer = new TorchArchiveWriter(out, root);
        writer.head(pickle);
        return writer.tail();
    }

    /** Writes an object that refers to storage 0 and returns the archive's size in bytes. */
    static long write(WritableByteChannel out, byte[] pickle, Content storage) throws IOException {
        TorchArchiveWriter writer = new TorchArchiveWriter(out, "archive");
        writer.head(pickle);
        writer.entry("data/0", storage);
        return writer.tail();
    }

    /** Measures what {@link #write(WritableByteChannel, byte[], Content)} will write. */
    static Measure measure(byte[] pickle, long storageBytes) throws IOException {
        TorchArchiveWriter writer =
                new TorchArchiveWriter(Channels.newChannel(OutputStream.nullOutputStream()), "archive");
        writer.head(pickle);
        long[] begin = new long[1];
        writer.entry("data/0", channel -> {
            begin[0] = writer.out.position();
            writer.out.skip(storageBytes);
        });
        return new Measure(writer.tail(), begin[0]);
    }

    private void head(byte[] pickle) throws IOException {
        entry("data.pkl", pickle);
        entry(".format_version", ascii("1"));
        entry(".storage_alignment", ascii("64"));
        entry("byteorder", ascii("little"));
    }

    private long tail() throws IOException {
        entry("version", ascii("3\n"));
        entry(".data/serialization_id", ascii("0".repeat(40)));
        long begin = out.position();
        for (Central entry : directory) {
            central(entry);
        }
        end(begin, out.position() - begin);
        return out.position();
    }

    private void entry(String name, byte[] content) throws IOException {
        entry(name, channel -> DurableFiles.writeFully(channel, ByteBuffer.wrap(content)));
    }

    private void entry(String name, Content body) throws IOException {
        byte[] path = ascii(root + "/" + name);
        long at = out.position();
        int padding = Math.floorMod(-(at + 30 + path.length + 4), ALIGNMENT);
        ByteBuffer header = buffer(30 + path.length + 4 + padding);
        header.putInt(0x04034b50)
                .putShort((short) 0)
                .putShort(FLAGS)
                .putShort((short) 0)
                .putInt(0);
        header.putInt(0).putInt(0).putInt(0).putShort((short) path.length).putShort((short) (4 + padding));
        header.put(path).put((byte) 'F').put((byte) 'B').putShort((short) padding);
        while (header.hasRemaining()) {
            header.put((byte) 'Z');
        }
        put(header);
        long begin = out.position();
        out.resetChecksum();
        body.writeTo(out);
        long bytes = out.position() - begin;
        if (bytes > MAX_ENTRY_BYTES || at > MAX_ENTRY_BYTES) {
            throw new CheckpointException(
                    "a tensor chunk of %d bytes exceeds the 4 GiB that are written as one; give the model a type of 16 bits"
                            .formatted(bytes));
        }
        Central entry = new Central(path, out.checksum(), (int) bytes, (int) at);
        directory.add(entry);
        put(buffer(16).putInt(0x08074b50).putInt(entry.crc).putInt(entry.bytes).putInt(entry.bytes));
    }

    private void central(Central entry) throws IOException {
        ByteBuffer record = buffer(46 + entry.path.length);
        record.putInt(0x02014b50).putInt(0).putShort(FLAGS).putShort((short) 0).putInt(0);
        record.putInt(entry.crc).putInt(entry.bytes).putInt(entry.bytes).putShort((short) entry.path.length);
        record.putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(0);
        put(record.putInt(entry.at).put(entry.path));
    }

    private void end(long begin, long bytes) throws IOException {
        long zip64 = out.position();
        int count = directory.size();
        put(buffer(56)
                .putInt(0x06064b50)
                .putLong(44)
                .putShort((short) 0x031e)
                .putShort((short) 45)
                .putInt(0)
                .putInt(0)
                .putLong(count)
                .putLong(count)
                .putLong(bytes)
                .putLong(begin));
        put(buffer(20).putInt(0x07064b50).putInt(0).putLong(zip64).putInt(1));
        put(buffer(22)
                .putInt(0x06054b50)
                .putInt(0)
                .putShort((short) count)
                .putShort((short) count)
                .putInt((int) bytes)
                .putInt((int) begin)
                .putShort((short) 0));
    }

    private void put(ByteBuffer record) throws IOException {
        DurableFiles.writeFully(out, record.flip());
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
