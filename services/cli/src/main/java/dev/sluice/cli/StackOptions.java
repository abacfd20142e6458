package dev.sluice.cli;

import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.stack.Installation;
import dev.sluice.cli.stack.OpenLog;
import dev.sluice.cli.stack.RunningStack;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which services a command talks to. */
final class StackOptions {
    private static final Pattern ADDRESSES = Pattern.compile("[^,\\s]+:\\d{1,5}(,[^,\\s]+:\\d{1,5})*");

    @Option(
            names = "--work-dir",
            defaultValue = UpCommand.DEFAULT_WORK_DIRECTORY,
            description = "The work directory of the running \"sluice up\" (default: ${DEFAULT-VALUE}).")
    private Path workDirectory = Path.of(UpCommand.DEFAULT_WORK_DIRECTORY);

    @Option(names = "--bootstrap", paramLabel = "HOST:PORT", description = "The broker, instead of --work-dir.")
    private @Nullable String bootstrap;

    RunClient client() {
        return new RunClient(bootstrapServers());
    }

    String bootstrapServers() {
        if (bootstrap == null) {
            return RunningStack.in(workDirectory).bootstrapServers();
        }
        if (!ADDRESSES.matcher(bootstrap).matches()) {
            throw CommandFailure.usage("--bootstrap is " + bootstrap + "; give HOST:PORT, several separated by commas");
        }
        return bootstrap;
    }

    /** The log, also where no services run: then its broker is started for as long as this is open. */
    OpenLog openLog(Consumer<String> says) throws IOException {
        return bootstrap == null
                ? OpenLog.in(workDirectory, Installation.ofThisProcess(), says)
                : OpenLog.at(bootstrapServers());
    }

    /** Where that stack keeps files of runs. */
    Path data() {
        return workDirectory.toAbsolutePath().normalize().resolve("data");
    }

    /** Where a service of that stack listens for HTTP. */
    URI service(String name) {
        return RunningStack.in(workDirectory).service(name);
    }
}
