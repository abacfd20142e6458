package dev.sluice.cli;

import dev.sluice.process.ChildCommand;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of {@code sluice}, run on this build's classes and the packaged services. */
final class SluiceCommand {
    private SluiceCommand() {}

    /**
     * @param directory where the person stands who types it
     * @param log gets both outputs
     */
    static ChildCommand of(Path directory, Path log, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dsluice.root=" + System.getProperty("sluice.root"),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.sluice.cli.Main"));
        command.addAll(arguments);
        return ChildCommand.of(command, directory, log);
    }
}
