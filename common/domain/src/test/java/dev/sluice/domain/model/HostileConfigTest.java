package dev.sluice.domain.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever a config.json holds, reading it ends in a model that can be counted or in problems. */
class HostileConfigTest {
    private static final JsonNodeFactory JSON = JsonNodeFactory.withExactBigDecimals(true);
    private static final int ROUNDS = 400;

    @Test
    void neverThrowsAndAlwaysSaysWhatIsWrong() {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.printf("hostile configurations from seed %d (-Dsluice.seed=...)%n", seed);
        Random random = new Random(seed);
        int read = 0;
        for (String name : PublishedModels.names()) {
            for (int round = 0; round < ROUNDS; round++) {
                ObjectNode config = mutated(name, random);
                ModelSpec.Reading reading = ModelSpec.read(config);
                read += looked(config, reading);
            }
        }
        assertThat(read).as("some mutations do no harm").isPositive();
    }

    @Test
    void takesTheLargestSizesAtOnceWithoutOverflow() {
        for (String name : PublishedModels.names()) {
            ObjectNode config = base(name);
            for (String key : keys(text(config))) {
                if (text(config).get(key).isInt()) {
                    for (int power = 24; power > 0; power--) {
                        text(config).put(key, 1 << power);
                        if (ModelSpec.read(config).problems().stream().noneMatch(problem -> problem.startsWith(key))) {
                            break;
                        }
                    }
                }
            }
            looked(config, ModelSpec.read(config));
        }
    }

    private static int looked(JsonNode config, ModelSpec.Reading reading) {
        assertThat(reading.spec() == null)
                .as("%s", config)
                .isEqualTo(!reading.problems().isEmpty());
        assertThat(reading.problems()).as("%s", config).allMatch(problem -> problem.length() < 500);
        if (reading.spec() == null) {
            return 0;
        }
        Parameters count = new Parameters(reading.spec());
        assertThat(count.activeWithoutEmbeddings()).as("%s", config).isPositive();
        assertThat(count.total()).as("%s", config).isGreaterThanOrEqualTo(count.activeWithoutEmbeddings());
        assertThat(count.mtpLayer().total()).as("%s", config).isPositive();
        return 1;
    }

    private static ObjectNode mutated(String name, Random random) {
        ObjectNode config = base(name);
        for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
            ObjectNode target =
                    objects(config).get(random.nextInt(objects(config).size()));
            List<String> keys = keys(target);
            if (keys.isEmpty()) {
                continue;
            }
            String key = keys.get(random.nextInt(keys.size()));
            if (random.nextInt(4) == 0) {
                target.remove(key);
            } else {
                target.set(key, hostile(random));
            }
        }
        return config;
    }

    private static JsonNode hostile(Random random) {
        return switch (random.nextInt(20)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.numberNode(-1);
            case 2 -> JSON.numberNode(0);
            case 3 -> JSON.numberNode(Integer.MAX_VALUE);
            case 4 -> JSON.numberNode(Long.MIN_VALUE);
            case 5 -> JSON.numberNode(1e308);
            case 6 -> JSON.numberNode(Double.NaN);
            case 7 -> JSON.numberNode(Double.NEGATIVE_INFINITY);
            case 8 -> JSON.numberNode(BigInteger.TEN.pow(900));
            case 9 -> JSON.numberNode(new BigDecimal("1e2147483000"));
            case 10 -> JSON.numberNode(1.5);
            case 11 -> JSON.booleanNode(random.nextBoolean());
            case 12 -> JSON.textNode("%s%n%d\u0000".repeat(1 + random.nextInt(2000)));
            case 13 -> JSON.textNode("");
            case 14 -> JSON.arrayNode();
            case 15 -> nested(20_000);
            case 16 -> JSON.objectNode();
            case 17 -> list(random);
            case 18 -> JSON.binaryNode(new byte[] {1, 2});
            default -> JSON.numberNode(1 << random.nextInt(31));
        };
    }

    private static JsonNode list(Random random) {
        ArrayNode list = JSON.arrayNode();
        for (int i = random.nextInt(100); i > 0; i--) {
            switch (random.nextInt(6)) {
                case 0 -> list.add("dense");
                case 1 -> list.add("sparse");
                case 2 -> list.add("full_attention");
                case 3 -> list.add("linear_attention");
                case 4 -> list.add(random.nextInt(-5, 200));
                default -> list.addNull();
            }
        }
        return list;
    }

    private static JsonNode nested(int depth) {
        JsonNode inner = JSON.objectNode();
        for (int i = 0; i < depth; i++) {
            inner = i % 2 == 0 ? JSON.arrayNode().add(inner) : JSON.objectNode().set("text_config", inner);
        }
        return inner;
    }

    private static List<ObjectNode> objects(ObjectNode config) {
        List<ObjectNode> objects = new ArrayList<>(List.of(config, config));
        for (String key : List.of("text_config", "rope_scaling", "rope_parameters", "quantization_config")) {
            for (ObjectNode parent : List.of(config, text(config))) {
                if (parent.get(key) instanceof ObjectNode inner && !inner.isEmpty()) {
                    objects.add(inner);
                }
            }
        }
        return objects;
    }

    private static ObjectNode text(ObjectNode config) {
        return config.get("text_config") instanceof ObjectNode inner ? inner : config;
    }

    private static List<String> keys(ObjectNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }

    private static ObjectNode base(String name) {
        return Models.config(PublishedModels.fileOf(name));
    }
}
