package dev.sluice.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a process leaves in {@code <work-dir>/run/<name>.json} for those who look for it: {@code {pid, port, startTime}}.
 *
 * @param port 0 where it listens on none
 * @param startTime as the operating system knows it; pids are reused, a pid with its start time is not
 */
public record PidFile(long pid, int port, Instant startTime) {
    private static final int MAXIMUM_BYTES = 4 << 10;
    private static final int MAXIMUM_PORT = 65_535;
    // Java adds the boot time, which moves with the clock by up to a second, to the ticks since boot.
    private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    public PidFile {
        if (pid < 1 || port < 0 || port > MAXIMUM_PORT) {
            throw new IllegalArgumentException(
                    "A pid file needs a pid from 1 and a port from 0 to 65535, got pid " + pid + ", port " + port);
        }
    }

    /** Of the running process itself. */
    public static PidFile ofThisProcess(int port) {
        return of(ProcessHandle.current(), port);
    }

    public static PidFile of(ChildProcess child, int port) {
        return new PidFile(child.pid(), port, child.startTime());
    }

    static PidFile of(ProcessHandle process, int port) {
        return new PidFile(process.pid(), port, process.info().startInstant().orElse(Instant.EPOCH));
    }

    /** Writes the file in one step, so that a reader sees all of it or the one before. */
    public void write(Path file) throws IOException {
        Path target = file.toAbsolutePath();
        Files.createDirectories(target.getParent());
        ObjectNode json =
                JSON.createObjectNode().put("pid", pid).put("port", port).put("startTime", startTime.toString());
        Path partial = target.resolveSibling(
                target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        Files.write(partial, JSON.writeValueAsBytes(json));
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Reads a pid file; empty where there is none.
     *
     * @throws IOException if the file is there but is no pid file
     */
    public static Optional<PidFile> read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            JsonNode json = JSON.readTree(in.readNBytes(MAXIMUM_BYTES));
            return Optional.of(new PidFile(
                    json.path("pid").asLong(),
                    json.path("port").asInt(),
                    Instant.parse(json.path("startTime").asText())));
        } catch (JsonProcessingException | DateTimeException | IllegalArgumentException e) {
            throw new IOException(
                    file
                            + " is not a pid file like {\"pid\": 1, \"port\": 0, \"startTime\": \"2026-01-01T00:00:00Z\"} ("
                            + e.getMessage() + "); delete it if nothing runs.",
                    e);
        }
    }

    /** The living process that this file names; empty if it ended, or if its pid belongs to another process now. */
    public Optional<ProcessHandle> process() {
        return ProcessHandle.of(pid)
                .filter(Running::is)
                .filter(process -> process.info()
                        .startInstant()
                        .map(started ->
                                Duration.between(started, startTime).abs().compareTo(CLOCK_TOLERANCE) <= 0)
                        .orElse(false));
    }
}
