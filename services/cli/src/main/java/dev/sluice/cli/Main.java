package dev.sluice.cli;

import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.process.LifeLine;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code sluice} command. */
@Command(
        name = "sluice",
        mixinStandardHelpOptions = true,
        version = "sluice 0.1.0",
        description = "Post-trains language models by reinforcement learning, as services over Kafka topics.",
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            PlanCommand.class,
            RunCommand.class,
            EvalCommand.class,
            ImportCommand.class,
            StatusCommand.class,
            WatchCommand.class,
            CancelCommand.class,
            ReplayCommand.class,
            ExportCommand.class,
            ContinueCommand.class,
            TopicsCommand.class,
            ConvertCommand.class,
            InspectCommand.class,
            VerifyCommand.class,
            DiffCommand.class,
            ConformanceCommand.class,
            DoctorCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:a run failed or was cancelled, or something broke",
            "2:the command line or the request is not right; nothing was started",
            "130:ended by Ctrl-C"
        })
public final class Main {
    // Held, because java.util.logging forgets loggers that nobody holds, and their levels with them.
    private static final List<Logger> NOISY = List.of(Logger.getLogger("org.apache.kafka"), Logger.getLogger(""));

    private Main() {}

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT); // one form of figures in all messages, whatever the machine is set to
        NOISY.getFirst().setLevel(Level.OFF); // a broker that stops is normal here; our own messages say what matters
        NOISY.getLast().setLevel(Level.SEVERE);
        LifeLine.watchStdin(() -> System.exit(ExitCode.INTERRUPTED));
        System.exit(commandLine(Terminal.ofThisProcess()).execute(arguments));
    }

    static CommandLine commandLine(Terminal terminal) {
        return new CommandLine(new Main(), new CommandFactory(terminal))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setExecutionExceptionHandler((failure, command, parsed) -> explain(terminal, failure));
    }

    private static int explain(Terminal terminal, Exception failure) throws Exception {
        if (failure instanceof CommandFailure expected) {
            terminal.error(String.valueOf(expected.getMessage()));
            return expected.exitCode();
        }
        if (failure instanceof KafkaUnavailableException unavailable) {
            terminal.error(String.valueOf(unavailable.getMessage()));
            return ExitCode.FAILED;
        }
        throw failure; // ours: picocli prints the stack trace, and the exit code is 1
    }
}
