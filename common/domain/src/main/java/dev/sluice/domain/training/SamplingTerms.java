package dev.sluice.domain.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What two requests must have in common for the samples of one to serve the other: the same prompts would be answered and scored alike. */
public final class SamplingTerms {
    /** Which policy samples, how fast and how much at once makes no difference; how tokens are chosen and where a response ends does. */
    private static final Set<String> OF_ROLLOUT = Set.of(
            "samplesPerPrompt",
            "maxResponseTokens",
            "maxContextTokens",
            "temperature",
            "topP",
            "topK",
            "stop",
            "stopTokenIds",
            "stopRegex",
            "turns",
            "hooks");

    private SamplingTerms() {}

    /** Paths of settings that differ; empty where samples serve both. */
    public static List<String> differences(TrainingRequest earlier, TrainingRequest later) {
        List<String> paths = new ArrayList<>();
        ObjectNode before = EventJson.mapper().valueToTree(earlier);
        ObjectNode now = EventJson.mapper().valueToTree(later);
        compare("reward", before, now, Set.of("timeoutSeconds"), paths);
        // The file may have moved; that its rows are the same is the cut's to say.
        compare("data", before, now, Set.of("prompts", "maxPromptTokens", "badRows"), paths);
        Set<String> irrelevant = keys(before.path("rollout"), now.path("rollout"));
        irrelevant.removeAll(OF_ROLLOUT);
        compare("rollout", before, now, irrelevant, paths);
        return paths;
    }

    private static void compare(
            String section, ObjectNode before, ObjectNode now, Set<String> irrelevant, List<String> paths) {
        JsonNode earlier = before.path(section);
        JsonNode later = now.path(section);
        for (String key : keys(earlier, later)) {
            if (!irrelevant.contains(key) && !earlier.path(key).equals(later.path(key))) {
                paths.add(section + "." + key);
            }
        }
    }

    private static Set<String> keys(JsonNode earlier, JsonNode later) {
        Set<String> keys = new TreeSet<>();
        earlier.fieldNames().forEachRemaining(keys::add);
        later.fieldNames().forEachRemaining(keys::add);
        return keys;
    }
}
