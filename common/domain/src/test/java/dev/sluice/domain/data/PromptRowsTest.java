package dev.sluice.domain.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PromptRowsTest {
    private static final RowKeys KEYS = new RowKeys("prompt", "label");

    @Test
    void keepsTextPromptsWithTheirLineAndLabel() throws IOException {
        PromptRows read = read("""
                {"prompt": "2+3=", "label": "5"}

                {"prompt": "1+1=", "label": 2, "source": "ignored"}
                """);

        assertThat(read.rows())
                .containsExactly(
                        new PromptRow(1, new Prompt.Text("2+3="), "5"), new PromptRow(3, new Prompt.Text("1+1="), "2"));
        assertThat(read.summary()).isEqualTo(new PromptRows.Summary(2, 0, List.of(), 4));
    }

    /** The layout of dapo-math-17k, which slime's recipe for GLM-4.7-Flash trains on. */
    @Test
    void keepsConversations() throws IOException {
        PromptRows read = read("{\"prompt\": [{\"role\": \"user\", \"content\": \"Solve x\"}], \"label\": \"34\"}");

        assertThat(read.rows().getFirst().prompt())
                .isEqualTo(new Prompt.Messages(List.of(new Prompt.Message("user", "Solve x"))));
        assertThat(read.summary().longestPromptBytes()).isEqualTo(7);
    }

    @Test
    void keepsWhatAMessageHasBesidesRoleAndTextAsItsRowSaysIt() throws IOException {
        PromptRows read = read("""
                {"prompt": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"content": "b", "role": "assistant", "reasoning_content": "r"}, {"role": "assistant", "tool_calls": [{"name": "f"}]}], "label": "1"}
                {"prompt": [{"role": "assistant"}], "label": "1"}
                """);

        assertThat(read.rows().getFirst().prompt())
                .isEqualTo(new Prompt.Messages(List.of(
                        new Prompt.Message(
                                "user", "", "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}"),
                        new Prompt.Message(
                                "assistant",
                                "b",
                                "{\"content\":\"b\",\"role\":\"assistant\",\"reasoning_content\":\"r\"}"),
                        new Prompt.Message(
                                "assistant", "", "{\"role\":\"assistant\",\"tool_calls\":[{\"name\":\"f\"}]}"))));
        assertThat(read.summary().conversations()).isEqualTo(1);
        assertThat(read.summary().broken()).isEqualTo(1);
    }

    /** slime takes both: a list, and the JSON text of one. */
    @Test
    void keepsToolsAsAListOrAsItsText() throws IOException {
        PromptRows read = read("""
                {"prompt": "a", "label": "1", "tools": [{"z": 1, "a": 2}]}
                {"prompt": "a", "label": "1", "tools": "[{\\"z\\": 1}]"}
                {"prompt": "a", "label": "1", "tools": null}
                {"prompt": "a", "label": "1", "tools": "none"}
                {"prompt": "a", "label": "1", "tools": {"z": 1}}
                """);

        assertThat(read.rows())
                .extracting(PromptRow::tools)
                .containsExactly("[{\"z\":1,\"a\":2}]", "[{\"z\":1}]", null);
        assertThat(read.summary().problems())
                .singleElement()
                .hasToString("line 4 and 1 more: tools holds neither a list of tools nor the JSON text of one");
    }

    @Test
    void tellsEachBrokenLineWithItsNumberAndReason() throws IOException {
        PromptRows read = read("""
                {"prompt": "a", "lable": "1"}
                {"prompt": "a", "label": "1"
                ["a"]
                {"prompt": "", "label": "1"}
                {"prompt": "a", "label": {"x": 1}}
                {"promt": "a"}
                {"prompt": "a", "label": "1"} trailing
                {"prompt": "good", "label": "1"}
                """);

        assertThat(read.rows()).hasSize(1);
        assertThat(read.summary().broken()).isEqualTo(7);
        assertThat(read.summary().problems()).extracting(RowProblem::line).containsExactly(1, 2, 3, 4, 5, 6, 7);
        assertThat(read.summary().problems().get(0)).hasToString("line 1: no key label; did you mean lable?");
        assertThat(read.summary().problems().get(5))
                .hasToString("line 6: no key prompt; did you mean promt?; no key label");
        assertThat(read.summary().problems().get(3).message()).contains("neither text nor a list");
    }

    @Test
    void reportsTwentyKindsOfBrokenLinesAndCountsTheRest() throws IOException {
        PromptRows read = read(IntStream.range(0, 50)
                .mapToObj("{\"prompt\": \"a\", \"label\": \"1\"} x%d\n"::formatted)
                .collect(Collectors.joining()));

        assertThat(read.summary().problems()).hasSize(PromptRows.MAX_REPORTED);
        assertThat(read.summary().broken()).isEqualTo(50);
        assertThat(read.summary().untold()).isEqualTo(30);
    }

    @Test
    void aKeyThatEveryLineLacksDoesNotHideTheLineThatIsNoJson() throws IOException {
        PromptRows read = read("{\"prompt\": \"a\", \"lable\": \"1\"}\n".repeat(50) + "[\"a\"]\n");

        assertThat(read.summary().problems())
                .extracting(RowProblem::toString)
                .satisfiesExactly(
                        key -> assertThat(key).isEqualTo("line 1 and 49 more: no key label; did you mean lable?"),
                        line -> assertThat(line).startsWith("line 51: a JSON object was expected"));
        assertThat(read.summary().untold()).isZero();
    }

    @Test
    void refusesALineAboveOneMebibyteWithoutKeepingIt() throws IOException {
        InputStream endless = new InputStream() {
            private int left = 64 << 20;

            @Override
            public int read() {
                return left-- > 0 ? 'x' : -1;
            }
        };

        PromptRows.Summary summary = PromptRows.scan(endless, KEYS, row -> {});

        assertThat(summary.problems()).containsExactly(new RowProblem(1, 0, "longer than 1048576 bytes"));
    }

    @Test
    void refusesBytesThatAreNoText() throws IOException {
        byte[] broken = "{\"prompt\": \"\u00ff\", \"label\": \"1\"}".getBytes(StandardCharsets.ISO_8859_1);

        PromptRows read = PromptRows.read(new ByteArrayInputStream(broken), KEYS);

        assertThat(read.summary().problems()).containsExactly(new RowProblem(1, 0, "not UTF-8"));
    }

    private static PromptRows read(String text) throws IOException {
        return PromptRows.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), KEYS);
    }
}
