package dev.sluice.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Everything that a child process started, and what it started in turn.
 *
 * <p>The process group alone is not enough: torchrun puts every rank into a session of its own, and orphans have no
 * parent that leads to them. So each child carries a mark in its environment, which all descendants inherit and Linux
 * shows; elsewhere the descendants that are still connected have to do. A detached child starts a family of its own and
 * survives the end of its parent's.
 *
 * @param mark empty for a process that was not started by us
 */
record Family(long leaderPid, String mark) {
    static final String ENVIRONMENT_NAME = "SLUICE_FAMILY";
    private static final Path PROC = Path.of("/proc");
    private static final String SEPARATOR = ":";
    private static final long POLL_NANOS = Duration.ofMillis(20).toNanos();
    private static final int MAXIMUM_ENVIRONMENT_BYTES = 1 << 20;

    static String newMark() {
        return UUID.randomUUID().toString();
    }

    /** Value of the environment variable for a child: the marks of the families it belongs to. */
    static String environmentValue(String mark, Life life, Map<String, String> parentEnvironment) {
        String inherited = parentEnvironment.getOrDefault(ENVIRONMENT_NAME, "");
        return life == Life.DETACHED || inherited.isEmpty() ? mark : inherited + SEPARATOR + mark;
    }

    /** The family of a process found alive. */
    static Family of(ProcessHandle leader) {
        List<String> marks = marks(leader.pid());
        return new Family(leader.pid(), marks.isEmpty() ? "" : marks.getLast());
    }

    /** Sends SIGKILL to the process group and every member until none is left: a member may fork while we look. */
    void kill(Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        killGroup();
        for (List<ProcessHandle> left = members(); !left.isEmpty(); left = members()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("Of the processes that " + leaderPid + " started, "
                        + left.stream().map(ProcessHandle::pid).toList() + " still live " + deadline.toSeconds()
                        + " s after SIGKILL; they hang in the kernel (driver or file system), look at them with"
                        + " ps -o pid,stat,wchan");
            }
            left.forEach(ProcessHandle::destroyForcibly);
            // Short: this only spans the time the kernel needs to take a process apart.
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private List<ProcessHandle> members() {
        boolean marked = !mark.isEmpty() && Files.isDirectory(PROC.resolve("self"));
        Stream<ProcessHandle> found = marked
                ? ProcessHandle.allProcesses()
                        .filter(process -> marks(process.pid()).contains(mark))
                : ProcessHandle.of(leaderPid).stream()
                        .flatMap(leader -> Stream.concat(leader.descendants(), Stream.of(leader)));
        return found.filter(process -> !process.equals(ProcessHandle.current()) && Running.is(process))
                .toList();
    }

    private void killGroup() {
        try {
            // Java has no call for a group; the shell's own kill is on every Unix. No such group is no error.
            new ProcessBuilder("sh", "-c", "kill -s KILL -- -" + leaderPid)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor(5, TimeUnit.SECONDS);
        } catch (IOException e) {
            // No shell: the members are killed one by one below.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<String> marks(long pid) {
        Path environment = PROC.resolve(pid + "/environ");
        try (InputStream in = Files.newInputStream(environment)) {
            String variables = new String(in.readNBytes(MAXIMUM_ENVIRONMENT_BYTES), ISO_8859_1);
            return Arrays.stream(variables.split("\0"))
                    .filter(variable -> variable.startsWith(ENVIRONMENT_NAME + "="))
                    .flatMap(variable -> Arrays.stream(
                            variable.substring(ENVIRONMENT_NAME.length() + 1).split(SEPARATOR)))
                    .toList();
        } catch (IOException e) {
            // Gone meanwhile, or another user's process: no member of ours.
            return List.of();
        }
    }
}
