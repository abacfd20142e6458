package dev.sluice.domain.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ParametersTest {
    /** Buffers, and the MTP layer's own copies of both tables, are no parameters of their own. */
    private static final Pattern NOT_COUNTED =
            Pattern.compile(".*(e_score_correction_bias|\\.embed_tokens\\.weight|\\.shared_head\\.head\\.weight)");

    private static final ModelSpec GLM_47_FLASH = Models.published("GLM-4.7-Flash");

    /** Against the shapes in the safetensors headers that the safetensors library wrote. */
    @Test
    void countsTheTinyCheckpointAsItsFilesDo() throws IOException {
        Parameters count = new Parameters(Models.tiny());

        assertThat(count.total()).isEqualTo(elements(name -> !name.startsWith("model.layers.3.")));
        assertThat(count.mtp()).isEqualTo(elements(name -> name.startsWith("model.layers.3.")));
    }

    /** Against the key table of the released checkpoint, folded rows counted for their layers and experts. */
    @Test
    void countsGlm47FlashAsItsKeyTableDoes() throws IOException {
        Parameters count = new Parameters(GLM_47_FLASH);
        List<String[]> rows = keyTable();

        assertThat(count.total())
                .isEqualTo(sum(rows, name -> !name.startsWith("model.layers.47.")))
                .isEqualTo(29_943_390_976L);
        assertThat(count.mtp())
                .isEqualTo(sum(rows, name -> name.startsWith("model.layers.47.")))
                .isEqualTo(643_706_112L);
    }

    /** As above, without embedding and final norm, with 4 of 64 experts. Megatron prints 3.90 billion, embedding included. */
    @Test
    void countsWhatATokenOfGlm47FlashPassesThrough() throws IOException {
        List<String[]> decoder = keyTable().stream()
                .filter(row -> !row[5].startsWith("model.layers.47.")
                        && !row[5].contains("embed_tokens")
                        && !row[5].equals("model.norm.weight"))
                .toList();
        long all = sum(decoder, name -> true);
        long idle = sum(decoder, name -> name.contains("{e}")) / 64 * 60;

        assertThat(new Parameters(GLM_47_FLASH).active()).isEqualTo(all - idle);
    }

    /** Worked out by hand from the shapes of the released config.json. */
    @Test
    void tellsApartWhatParallelRanksShare() {
        Parameters count = new Parameters(GLM_47_FLASH);

        assertThat(count.attention(0)).isEqualTo(new Parameters.Split(19_005_440, 2_753_792, 0));
        assertThat(count.layer(0).total()).isEqualTo(84_677_888);
        assertThat(count.layer(1).total()).isEqualTo(635_311_360);
        assertThat(count.layer(1).experts()).isEqualTo(603_979_776);
        assertThat(count.activeWithoutEmbeddings()).isEqualTo(3_262_372_608L);
        assertThat(count.active()).isEqualTo(3_579_566_848L);
    }

    /**
     * Billions, as their reports print them: gpt-oss by its model card (arXiv 2508.10925, table 1: 20.91 and 116.83, active
     * 3.61 and 5.13), Qwen3-Next exactly as the hub counts its tensors without MTP.
     */
    @Test
    void countsOtherFamiliesAsTheirPublishersDo() {
        assertThat(billions("gpt-oss-20b", Parameters::total)).isEqualTo("20.91");
        assertThat(billions("gpt-oss-20b", Parameters::active)).isEqualTo("3.61");
        assertThat(billions("gpt-oss-120b", Parameters::total)).isEqualTo("116.83");
        assertThat(billions("gpt-oss-120b", Parameters::active)).isEqualTo("5.13");
        assertThat(new Parameters(Models.published("Qwen3-Next-80B-A3B-Thinking")).total())
                .isEqualTo(79_674_391_296L);
        assertThat(billions("DeepSeek-V3", Parameters::total)).isEqualTo("671.03");
        assertThat(billions("DeepSeek-V3", Parameters::mtp)).isEqualTo("11.61");
        assertThat(billions("GLM-4-9B-0414", Parameters::total)).isEqualTo("9.40");
        assertThat(billions("MiMo-7B-RL", Parameters::total)).isEqualTo("7.62");
        assertThat(billions("MiMo-7B-RL", Parameters::mtp)).isEqualTo("0.21");
    }

    /** Shapes of transformers' DeepseekV3Attention and LlamaAttention with attention_bias true. */
    @Test
    void countsEveryBiasOfAttention() {
        ObjectNode latent = Models.tinyConfig().put("attention_bias", true);
        ObjectNode grouped = Models.config("Llama-3.1-8B-Instruct").put("attention_bias", true);

        long latentBias = new Parameters(Models.read(latent)).total() - new Parameters(Models.tiny()).total();
        long groupedBias = new Parameters(Models.read(grouped)).total()
                - new Parameters(Models.published("Llama-3.1-8B-Instruct")).total();

        assertThat(latentBias).isEqualTo(3 * (48 + 32 + 8 + 64));
        assertThat(groupedBias).isEqualTo(32 * (4096 + 1024 + 1024 + 4096));
    }

    private static String billions(String model, ToLongFunction<Parameters> count) {
        return String.format(Locale.ROOT, "%.2f", count.applyAsLong(new Parameters(Models.published(model))) / 1e9);
    }

    private static List<String[]> keyTable() throws IOException {
        return Files.readAllLines(Models.FIXTURES.resolve("glm47flash_keys.tsv")).stream()
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
        try (Stream<Path> files = Files.list(Models.FIXTURES.resolve("hf_tiny"))) {
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
