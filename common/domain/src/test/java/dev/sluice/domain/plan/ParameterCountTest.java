package dev.sluice.domain.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ParameterCountTest {
    /** Buffers, and the MTP layer's own copies of both tables, are no parameters of their own. */
    private static final Pattern NOT_COUNTED =
            Pattern.compile(".*(e_score_correction_bias|\\.embed_tokens\\.weight|\\.shared_head\\.head\\.weight)");

    /** Against the shapes in the safetensors headers that the safetensors library wrote. */
    @Test
    void countsTheTinyCheckpointAsItsFilesDo() throws IOException {
        ParameterCount count = new ParameterCount(Shapes.tiny());

        assertThat(count.total()).isEqualTo(elements(name -> !name.startsWith("model.layers.3.")));
        assertThat(count.mtp()).isEqualTo(elements(name -> name.startsWith("model.layers.3.")));
    }

    /** Against the key table of the released checkpoint, folded rows counted for their layers and experts. */
    @Test
    void countsGlm47FlashAsItsKeyTableDoes() throws IOException {
        ParameterCount count = new ParameterCount(Shapes.glm47Flash());
        List<String[]> rows = keyTable();

        assertThat(count.total())
                .isEqualTo(sum(rows, name -> !name.startsWith("model.layers.47.")))
                .isEqualTo(29_943_390_976L);
        assertThat(count.mtp())
                .isEqualTo(sum(rows, name -> name.startsWith("model.layers.47.")))
                .isEqualTo(643_706_112L);
    }

    /** As above, without the embedding and with 4 of 64 experts. Megatron prints 3.90 billion, embedding included. */
    @Test
    void countsWhatATokenOfGlm47FlashPassesThrough() throws IOException {
        List<String[]> decoder = keyTable().stream()
                .filter(row -> !row[5].startsWith("model.layers.47.") && !row[5].contains("embed_tokens"))
                .toList();
        long all = sum(decoder, name -> true);
        long idle = sum(decoder, name -> name.contains("{e}")) / 64 * 60;

        assertThat(new ParameterCount(Shapes.glm47Flash()).active()).isEqualTo(all - idle);
    }

    private static List<String[]> keyTable() throws IOException {
        return Files.readAllLines(Shapes.FIXTURES.resolve("glm47flash_keys.tsv")).stream()
                .skip(1)
                .map(line -> line.split("\t"))
                .filter(row -> !row[5].endsWith("e_score_correction_bias"))
                .toList();
    }

    private static long sum(List<String[]> rows, Predicate<String> chosen) {
        return rows.stream()
                .filter(row -> chosen.test(row[5]))
                .mapToLong(row -> times(row[5])
                        * product(row[6].replaceAll("[\\[\\] ]", "").split(",")))
                .sum();
    }

    private static long times(String name) {
        return (name.contains("{1..46}") ? 46 : 1) * (name.contains("{e}") ? 64 : 1);
    }

    private static long product(String[] sizes) {
        return Arrays.stream(sizes).mapToLong(Long::parseLong).reduce(1, (one, other) -> one * other);
    }

    private static long elements(Predicate<String> chosen) throws IOException {
        long elements = 0;
        try (Stream<Path> files = Files.list(Shapes.FIXTURES.resolve("hf_tiny"))) {
            for (Path shard : files.filter(file -> file.toString().endsWith(".safetensors"))
                    .toList()) {
                for (var tensor : header(shard).properties()) {
                    if (chosen.test(tensor.getKey()) && counted(tensor.getKey())) {
                        elements += tensor.getValue()
                                .get("shape")
                                .valueStream()
                                .mapToLong(JsonNode::asLong)
                                .reduce(1, (one, other) -> one * other);
                    }
                }
            }
        }
        return elements;
    }

    private static boolean counted(String name) {
        boolean table = name.equals("model.embed_tokens.weight");
        return !name.equals("__metadata__")
                && (table || !NOT_COUNTED.matcher(name).matches());
    }

    private static JsonNode header(Path shard) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(shard)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[(int) bytes.getLong()];
        bytes.get(header);
        return EventJson.mapper().readTree(header);
    }
}
