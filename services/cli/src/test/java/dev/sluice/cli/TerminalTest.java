package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TerminalTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void progressOnATerminalIsWrittenOverAndOtherTextStartsALineOfItsOwn() {
        Terminal terminal = terminal(true);

        terminal.progress("step 1");
        terminal.progress("step 2");
        terminal.say("done");

        assertThat(out).hasToString("\r\u001b[Kstep 1\r\u001b[Kstep 2\ndone\n");
    }

    @Test
    void aLineThatWouldWrapIsCut() {
        terminal(true).progress("x".repeat(200));

        assertThat(out.toString()).endsWith("x".repeat(79)).hasSize("\r\u001b[K".length() + 79);
    }

    @Test
    void progressElsewhereIsALine() {
        terminal(false).progress("step 1");

        assertThat(out).hasToString("step 1\n");
    }

    @Test
    void withJsonOnlyTheResultGoesToStdout() {
        Terminal terminal = terminal(true);
        terminal.useJson();

        terminal.progress("step 1");
        terminal.say("done");
        terminal.result("{}");

        assertThat(out).hasToString("{}\n");
        assertThat(err).hasToString("step 1\ndone\n");
    }

    private Terminal terminal(boolean interactive) {
        return new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), interactive);
    }
}
