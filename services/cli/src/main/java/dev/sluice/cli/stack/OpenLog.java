package dev.sluice.cli.stack;

import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The log of a work directory: of the broker that runs there, else of one that is started for as long as this is open. */
public final class OpenLog implements AutoCloseable {
    private final String bootstrapServers;
    private final @Nullable WorkDirectory taken;
    private final @Nullable LocalStack stack;

    private OpenLog(String bootstrapServers, @Nullable WorkDirectory taken, @Nullable LocalStack stack) {
        this.bootstrapServers = bootstrapServers;
        this.taken = taken;
        this.stack = stack;
    }

    /** The log of a broker that others run. */
    public static OpenLog at(String bootstrapServers) {
        return new OpenLog(bootstrapServers, null, null);
    }

    /** @param says gets a line where the broker has to be started */
    public static OpenLog in(Path directory, Installation installation, Consumer<String> says) throws IOException {
        Path path = directory.toAbsolutePath().normalize();
        Optional<PidFile> running = PidFile.read(WorkDirectory.stateFiles(path).resolve("broker.json"))
                .filter(state -> state.process().isPresent());
        if (running.isPresent()) {
            return at("127.0.0.1:" + running.get().port());
        }
        WorkDirectory taken = WorkDirectory.take(path);
        LocalStack stack = new LocalStack(installation, taken, new StackSettings(1, List.of(), List.of(), true), says);
        Runtime.getRuntime().addShutdownHook(new Thread(stack::close, "stop-broker"));
        try {
            says.accept("no broker runs in " + path + ", so one is started for the while");
            stack.startBroker();
            return new OpenLog(stack.bootstrapServers(), taken, stack);
        } catch (RuntimeException | IOException e) {
            stack.close();
            taken.close();
            throw e;
        }
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    @Override
    public void close() throws IOException {
        if (stack != null) {
            stack.close();
        }
        if (taken != null) {
            taken.close();
        }
    }
}
