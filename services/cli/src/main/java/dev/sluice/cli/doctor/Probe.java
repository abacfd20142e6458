package dev.sluice.cli.doctor;

import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.Life;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks a program something: it runs as a child process, and not for longer than its deadline. */
final class Probe {
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final int MAXIMUM_CHARACTERS = 1 << 20;

    private Probe() {}

    /** What a program said. */
    sealed interface Answer {
        /**
         * It ended.
         *
         * @param output both of its outputs, at most 2^20 characters
         */
        record Ended(OptionalInt code, String output) implements Answer {
            boolean clean() {
                return code.isPresent() && code.getAsInt() == 0;
            }

            /** Its last line that is not blank, for a message. */
            String lastLine() {
                return output.lines()
                        .filter(line -> !line.isBlank())
                        .reduce((first, second) -> second)
                        .orElse("it wrote nothing")
                        .strip();
            }
        }

        /**
         * It did not end in time.
         *
         * @param output what it had said by then
         */
        record Late(String output, Duration deadline) implements Answer {}

        /** There is no such program. */
        record Absent(String why) implements Answer {}
    }

    static Answer ask(List<String> command, Map<String, String> environment, Duration deadline) {
        Path log = null;
        try {
            log = Files.createTempFile("sluice-doctor", ".log");
            return ask(
                    ChildCommand.of(command, Path.of("").toAbsolutePath(), log)
                            .withEnvironment(environment)
                            .withLife(Life.GUARDED),
                    deadline);
        } catch (IOException e) {
            return new Answer.Absent(String.valueOf(e.getMessage()));
        } finally {
            delete(log);
        }
    }

    static Answer ask(List<String> command, Duration deadline) {
        return ask(command, Map.of(), deadline);
    }

    private static Answer ask(ChildCommand command, Duration deadline) throws IOException {
        ChildProcess child = ChildProcess.start(command);
        try {
            OptionalInt code = child.exited()
                    .get(deadline.toMillis(), TimeUnit.MILLISECONDS)
                    .code();
            return new Answer.Ended(code, output(command));
        } catch (TimeoutException e) {
            return new Answer.Late(output(command), deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Answer.Late(output(command), deadline);
        } catch (ExecutionException e) {
            throw new IllegalStateException("waiting for the end of process " + child.pid() + " failed", e);
        } finally {
            child.stop(GRACE); // what it started goes too: a hung torchrun would keep memory of GPUs
        }
    }

    private static String output(ChildCommand command) throws IOException {
        String text = new String(Files.readAllBytes(command.logFile()), StandardCharsets.UTF_8);
        return text.substring(0, Math.min(text.length(), MAXIMUM_CHARACTERS));
    }

    private static void delete(@Nullable Path log) {
        try {
            if (log != null) {
                Files.deleteIfExists(log);
            }
        } catch (IOException e) {
            // A few bytes in the temporary folder.
        }
    }
}
