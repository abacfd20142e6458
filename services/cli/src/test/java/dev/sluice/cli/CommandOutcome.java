package dev.sluice.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/** What came of a command that ran in this process. */
record CommandOutcome(int exitCode, String out, String err) {
    static CommandOutcome of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        PrintWriter outWriter = new PrintWriter(out, true);
        PrintWriter errWriter = new PrintWriter(err, true);
        int exitCode = Main.commandLine(new Terminal(outWriter, errWriter, false))
                .setOut(outWriter)
                .setErr(errWriter)
                .execute(Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new));
        return new CommandOutcome(exitCode, out.toString(), err.toString());
    }

    /** The one document on stdout. */
    JsonNode json() throws JsonProcessingException {
        return new ObjectMapper().readTree(out);
    }
}
