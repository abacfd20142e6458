package dev.sluice.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.regex.Pattern;

/** The last lines that one process wrote to a log file which earlier processes may have written too. */
record LogTail(Path file, long startOffset) {
    private static final int MAXIMUM_BYTES = 64 << 10;
    private static final int MAXIMUM_LINE_CHARACTERS = 2_000;
    private static final Pattern CONTROL_SEQUENCES = Pattern.compile("\u001b\\[[0-9;?]*[A-Za-z]|[\\p{Cntrl}&&[^\t]]");

    /** The tail of what is written from now on. */
    static LogTail fromNow(Path file) throws IOException {
        return new LogTail(file, Files.exists(file) ? Files.size(file) : 0);
    }

    /** At most that many lines, oldest first; none where the file cannot be read, because a tail explains other errors. */
    List<String> lines(int atMost) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long from = Math.max(startOffset, channel.size() - MAXIMUM_BYTES);
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.max(0, channel.size() - from));
            while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
                // read on
            }
            List<String> lines = new String(bytes.array(), 0, bytes.position(), UTF_8)
                    .lines()
                    .map(LogTail::printable)
                    .toList();
            return List.copyOf(lines.subList(Math.max(0, lines.size() - atMost), lines.size()));
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String printable(String line) {
        String clean = CONTROL_SEQUENCES.matcher(line).replaceAll("");
        return clean.length() <= MAXIMUM_LINE_CHARACTERS ? clean : clean.substring(0, MAXIMUM_LINE_CHARACTERS) + "...";
    }
}
