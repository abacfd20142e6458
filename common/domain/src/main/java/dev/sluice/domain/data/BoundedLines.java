package dev.sluice.domain.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8 from a file nobody vouches for: a line without end is cut off, not kept in memory. */
final class BoundedLines {
    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream file;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private byte[] line = new byte[1 << 12];
    private int buffered;
    private int next;
    private int length;
    private boolean tooLong;

    BoundedLines(InputStream file) {
        this.file = file;
    }

    /** Moves to the next line; false at the end of the file. */
    boolean advance() throws IOException {
        length = 0;
        tooLong = false;
        boolean any = false;
        while (next < buffered || fill()) {
            any = true;
            byte read = buffer[next++];
            if (read == '\n') {
                return true;
            }
            append(read);
        }
        return any;
    }

    private boolean fill() throws IOException {
        next = 0;
        buffered = file.read(buffer);
        return buffered > 0;
    }

    private void append(byte read) {
        if (length == PromptRows.MAX_LINE_BYTES) {
            tooLong = true;
            return;
        }
        if (length == line.length) {
            line = Arrays.copyOf(line, Math.min(PromptRows.MAX_LINE_BYTES, length * 2));
        }
        line[length++] = read;
    }

    boolean tooLong() {
        return tooLong;
    }

    /** The line without its end, or null where it is not UTF-8. */
    @Nullable
    String text() {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
