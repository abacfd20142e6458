package dev.sluice.cli;

import picocli.CommandLine.Option;

/** The options that every command has. */
final class OutputOptions {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and end.")
    boolean help;

    @Option(names = "--json", description = "Write the result as one JSON document to stdout; all else goes to stderr.")
    boolean json;

    void applyTo(Terminal terminal) {
        if (json) {
            terminal.useJson();
        }
    }
}
