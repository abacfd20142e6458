package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A stack that another process runs, found by its work directory.
 *
 * @param directory its work directory
 */
public record RunningStack(Path directory) {
    /** The stack in that directory, whether it runs or not. */
    public static RunningStack in(Path directory) {
        return new RunningStack(directory.toAbsolutePath().normalize());
    }

    /** @throws CommandFailure if no broker runs there */
    public String bootstrapServers() {
        return "127.0.0.1:" + port("broker");
    }

    /** @throws CommandFailure if no such service runs there */
    public URI service(String name) {
        return URI.create("http://127.0.0.1:" + port(name));
    }

    private int port(String name) {
        Path stateFile = WorkDirectory.stateFiles(directory).resolve(name + ".json");
        try {
            Optional<PidFile> running =
                    PidFile.read(stateFile).filter(state -> state.process().isPresent());
            return running.orElseThrow(() -> CommandFailure.failed("no " + name + " runs in " + directory
                            + "; start one there with \"sluice up\", or name another with --work-dir or --bootstrap"))
                    .port();
        } catch (IOException e) {
            throw CommandFailure.failed(String.valueOf(e.getMessage()));
        }
    }
}
