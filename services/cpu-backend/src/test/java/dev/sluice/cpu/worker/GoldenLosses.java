package dev.sluice.cpu.worker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.http.Json;
import dev.sluice.workerapi.LossConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The losses that workers of every language compute alike; each case names the source of its numbers. */
final class GoldenLosses {
    private static final Path FILE =
            Path.of(System.getProperty("sluice.root"), "common/worker-api/src/test/fixtures/golden/losses.json");
    private static final JsonNode ROOT = read();

    private GoldenLosses() {}

    /**
     * One case.
     *
     * @param json rows of tokens, one a sequence, all of the same length
     */
    record Case(JsonNode json) {
        boolean expects(String figure) {
            return json.path("expected").has(figure);
        }

        double expected(String... path) {
            JsonNode node = json.path("expected");
            for (String name : path) {
                node = node.path(name);
            }
            return node.doubleValue();
        }

        double tolerance() {
            return json.path("tolerance").asDouble(ROOT.path("tolerance").doubleValue());
        }

        LossConfig objective() {
            ObjectNode objective = ROOT.path("defaults").deepCopy();
            objective.setAll((ObjectNode) json.path("objective"));
            try {
                return Json.MAPPER.treeToValue(objective, LossConfig.class);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The column as [B, T]. */
        Tensor column(String name) {
            return tensor(json.path(name));
        }

        @Nullable
        Tensor columnOrNull(String name) {
            return json.has(name) ? column(name) : null;
        }

        /** An expected figure by token, row by row. */
        float[] expectedTokens(String name) {
            return Tensors.floats(tensor(json.path("expected").path(name)));
        }

        @Override
        public String toString() {
            return json.path("name").asText();
        }
    }

    static List<Case> policy() {
        return cases("policy").toList();
    }

    static List<Case> weighed() {
        return cases("policy").filter(golden -> golden.expects("tokenWeights")).toList();
    }

    static List<Case> value() {
        return cases("value").toList();
    }

    static double gradientTolerance() {
        return ROOT.path("gradientTolerance").doubleValue();
    }

    private static Stream<Case> cases(String kind) {
        return StreamSupport.stream(ROOT.path(kind).spliterator(), false).map(Case::new);
    }

    private static Tensor tensor(JsonNode rows) {
        int length = rows.path(0).size();
        float[] values = new float[rows.size() * length];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.path(i / length).path(i % length).floatValue();
        }
        return Tensors.of(values, rows.size(), length);
    }

    private static JsonNode read() {
        try {
            return Json.MAPPER.readTree(Files.readString(FILE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
