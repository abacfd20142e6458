package dev.sluice.cli.stack;

import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A process that runs a stack of small services, as {@code sluice up} does, for a test to kill. */
public final class StackMain {
    private StackMain() {}

    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Map<String, StopTurn> names = Map.of("trainer-1", StopTurn.TRAINER, "planner", StopTurn.REST);
        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, new SmallPrograms(directory, names), System.err::println)) {
            Runtime.getRuntime().addShutdownHook(new Thread(stack::close));
            stack.start();
            Files.writeString(directory.resolve("ready"), "");
            stack.broken().join();
        }
    }
}
