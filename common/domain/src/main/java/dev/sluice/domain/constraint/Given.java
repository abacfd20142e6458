package dev.sluice.domain.constraint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.candidate.Candidate;
import dev.sluice.events.EventJson;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Flags that a candidate gives beyond its typed fields, whether they are Megatron's or slime's: slime reads both from one
 * command line.
 */
final class Given {
    private Given() {}

    /**
     * Whether the candidate is an imported script, whose absent flags have the programs' defaults. What a request leaves
     * out, the planner writes.
     */
    static boolean script(Candidate candidate) {
        return !candidate.workload().slime().values().isEmpty();
    }

    static boolean has(Candidate candidate, String flag) {
        return candidate.training().flags().has(flag)
                || candidate.workload().slime().has(flag);
    }

    static String text(Candidate candidate, String flag, String otherwise) {
        return candidate
                .training()
                .flags()
                .text(flag, candidate.workload().slime().text(flag, otherwise));
    }

    static double number(Candidate candidate, String flag, double otherwise) {
        return candidate
                .training()
                .flags()
                .number(flag, candidate.workload().slime().number(flag, otherwise));
    }

    static int count(Candidate candidate, String flag, int otherwise) {
        return (int) number(candidate, flag, otherwise);
    }

    static List<String> list(Candidate candidate, String flag) {
        List<String> training = candidate.training().flags().values().get(flag);
        return training != null
                ? training
                : candidate.workload().slime().values().getOrDefault(flag, List.of());
    }

    /** Environment variables of the trainer as a script gives them; null where it says nothing of them. */
    static @Nullable Map<String, String> environment(Candidate candidate) {
        if (!has(candidate, "--train-env-vars")) {
            return null;
        }
        try {
            JsonNode told = EventJson.mapper().readTree(text(candidate, "--train-env-vars", "{}"));
            Map<String, String> environment = new HashMap<>();
            told.fields()
                    .forEachRemaining(variable -> environment.put(
                            variable.getKey(), variable.getValue().asText()));
            return environment;
        } catch (JsonProcessingException e) {
            // slime could not read it either: no variable is set.
            return Map.of();
        }
    }
}
