package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The trainer's replay as a process of its own, with a worker of its own.
 *
 * @param bootstrapServers the broker whose log it reads
 */
public record ReplayProgram(Installation installation, String bootstrapServers) {

    /**
     * Starts it.
     *
     * @param directory holds its order; it writes there, output too
     * @throws CommandFailure if the trainer is not built
     */
    public ChildProcess start(Path directory) throws IOException {
        if (!installation.isBuilt("trainer")) {
            throw CommandFailure.failed(
                    "the trainer is not built; run ./mvnw package -DskipTests in " + installation.root());
        }
        List<String> command = new ArrayList<>(List.of(JavaFlags.java()));
        command.addAll(JavaFlags.POOL_SERVICE);
        command.add(Programs.worker(installation));
        command.addAll(List.of("-cp", installation.trainerClassPath(), "dev.sluice.trainer.replay.ReplayMain"));
        command.add(directory.toString());
        return ChildProcess.start(ChildCommand.of(command, directory, directory.resolve("replay.log"))
                .withEnvironment(Map.of("SLUICE_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers)));
    }
}
