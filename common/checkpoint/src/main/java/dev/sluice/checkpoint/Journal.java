package dev.sluice.checkpoint;

import com.dynatrace.hash4j.hashing.Hashing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which stretches of an unfinished output have been written: a line each with file, position and hashes, closed by the line's own hash, so that a line
 * which a crash cut short says nothing.
 */
final class Journal implements AutoCloseable {
    private final FileChannel out;
    private final Map<Place, StretchHashes> written;
    private boolean appended;

    private record Place(String file, long begin, long end) {
        static Place of(Stretch stretch) {
            return new Place(stretch.file(), stretch.begin(), stretch.end());
        }
    }

    private Journal(FileChannel out, Map<Place, StretchHashes> written) {
        this.out = out;
        this.written = written;
    }

    static Journal open(Path file) throws IOException {
        Map<Place, StretchHashes> written = read(file);
        FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
        // What follows begins a line of its own.
        out.write(ByteBuffer.wrap(new byte[] {'\n'}));
        return new Journal(out, written);
    }

    /** How many bytes earlier processes claim to have written. */
    static long bytes(Path file) throws IOException {
        return read(file).keySet().stream()
                .mapToLong(place -> place.end - place.begin)
                .sum();
    }

    /** Whether an earlier process claims to have written this stretch. */
    boolean claims(Stretch stretch) {
        return written.containsKey(Place.of(stretch));
    }

    /** Whether an earlier process wrote this stretch with these hashes. */
    boolean agrees(Stretch stretch, StretchHashes hashes) {
        return hashes.equals(written.get(Place.of(stretch)));
    }

    /** Whether nothing would be lost with it. */
    synchronized boolean isEmpty() {
        return written.isEmpty() && !appended;
    }

    synchronized void append(Stretch stretch, StretchHashes hashes) throws IOException {
        StringBuilder line = new StringBuilder(stretch.file());
        line.append(' ').append(stretch.begin()).append(' ').append(stretch.end());
        line.append(' ').append(Long.toHexString(hashes.rest()));
        hashes.tensors().forEach(hash -> line.append(' ').append(Long.toHexString(hash)));
        String closed = "%s %s\n".formatted(line, check(line.toString()));
        out.write(ByteBuffer.wrap(closed.getBytes(StandardCharsets.ISO_8859_1)));
        appended = true;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    private static Map<Place, StretchHashes> read(Path file) throws IOException {
        Map<Place, StretchHashes> written = new HashMap<>();
        if (Files.exists(file)) {
            // A torn line, or any damage, must not hide the sound ones.
            String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            text.lines().forEach(line -> read(line, written));
        }
        return written;
    }

    private static void read(String line, Map<Place, StretchHashes> written) {
        int last = line.lastIndexOf(' ');
        if (last < 0 || !line.substring(last + 1).equals(check(line.substring(0, last)))) {
            return;
        }
        List<String> words = Arrays.asList(line.split(" "));
        if (words.size() < 5) {
            return;
        }
        try {
            Place place = new Place(words.get(0), Long.parseLong(words.get(1)), Long.parseLong(words.get(2)));
            List<Long> tensors = new ArrayList<>();
            words.subList(4, words.size() - 1).forEach(word -> tensors.add(Long.parseUnsignedLong(word, 16)));
            written.put(place, new StretchHashes(tensors, Long.parseUnsignedLong(words.get(3), 16)));
        } catch (NumberFormatException e) {
            // Another program's line: it claims nothing that this one could go on with.
        }
    }

    private static String check(String line) {
        return Long.toHexString(Hashing.xxh3_64().hashBytesToLong(line.getBytes(StandardCharsets.ISO_8859_1)));
    }
}
