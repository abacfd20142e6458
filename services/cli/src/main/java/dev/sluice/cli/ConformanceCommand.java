package dev.sluice.cli;

import dev.sluice.cli.conformance.Conformance;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "conformance",
        description = {
            "Ask a server that speaks SGLang's API what slime, verl, AReaL and OpenAI clients ask, and check the replies.",
            "Without --disruptive it generates some hundred tokens and changes nothing."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no check failed",
            "1:a check failed, or the server cannot be reached",
            "2:the command line is not right"
        })
final class ConformanceCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(index = "0", paramLabel = "URL", description = "The server: http(s)://host[:port][/prefix].")
    private String url = "";

    @Option(names = "--api-key", paramLabel = "KEY", description = "Sent as a bearer token.")
    private @Nullable String apiKey;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "CLIENT",
            description = "Only the checks of these clients: slime, verl, areal, openai.")
    private List<String> only = new ArrayList<>();

    @Option(
            names = "--disruptive",
            description = "Also abort, pause, flush and load weights again: for a server without other users.")
    private boolean disruptive;

    ConformanceCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        return new Conformance(terminal).run(new Conformance.Order(url, apiKey, only, disruptive));
    }
}
