package dev.sluice.cli.eval;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.plan.LocalFiles;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading.Complete;
import dev.sluice.domain.request.ResponseRoom;
import dev.sluice.events.EventJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The request of a run that only samples: one set a prompt file.
 *
 * @param checkpoint a Hugging Face directory
 * @param request whose keys, reward and sampling are taken over; absent: the defaults
 * @param prompts files to measure; none: the request's held-out sets, else its prompts
 */
public record EvalRequest(
        Path checkpoint, @Nullable Path request, List<Path> prompts, Sampling sampling, List<String> settings) {
    private static final String SETS = "evaluation";
    /** Held-out sets that do not say it have that of training. */
    private static final String LENGTH = "maxResponseTokens";

    private static final String SAMPLES = "samplesPerPrompt";
    private static final int USUAL_SAMPLES = 4;
    private static final double USUAL_TEMPERATURE = 1;
    private static final int LONGEST_NAME = 24;

    /**
     * How rows are sampled; what is absent is as the request says for its own sets, and as usual for prompt files.
     *
     * @param maxResponseTokens absent: as the request says, else what fits the model
     * @param reward absent: the request's
     */
    public record Sampling(
            @Nullable Integer samplesPerPrompt,
            @Nullable Integer maxResponseTokens,
            @Nullable Double temperature,
            @Nullable String reward) {
        private void into(ObjectNode set) {
            if (samplesPerPrompt != null) {
                set.put(SAMPLES, samplesPerPrompt);
            }
            if (maxResponseTokens != null) {
                set.put(LENGTH, maxResponseTokens);
            }
            if (temperature != null) {
                set.put("temperature", temperature);
            }
        }
    }

    public ObjectNode document() {
        ObjectNode document = request == null
                ? EventJson.mapper().createObjectNode().put("name", "eval").put("backend", "cpu")
                : RequestFile.read(request, List.of());
        group(document, "model")
                .put("path", checkpoint.toAbsolutePath().normalize().toString());
        group(document, "training").put("steps", 0);
        if (sampling.reward() != null) {
            document.putObject("reward").put("type", sampling.reward());
        }
        if (!prompts.isEmpty()) {
            group(document, "data").put("prompts", absolute(prompts.getFirst()));
            if (sampling.maxResponseTokens() != null) {
                group(document, "rollout").put(LENGTH, sampling.maxResponseTokens());
            }
            sets(document.putArray(SETS));
        } else {
            ofRequest(document);
        }
        settings.forEach(setting -> RequestFile.set(document, setting));
        if (!prompts.isEmpty() && document.path("rollout").path(LENGTH).isMissingNode()) {
            group(document, "rollout").put(LENGTH, room(document));
        }
        return document;
    }

    /** Its held-out sets, or its prompts where it has none. */
    private void ofRequest(ObjectNode document) {
        if (document.path(SETS).isEmpty()) {
            sampling.into(group(document, "rollout"));
        }
        document.path(SETS).forEach(set -> {
            if (set instanceof ObjectNode known) {
                sampling.into(known);
            }
        });
    }

    private static int room(ObjectNode document) {
        return RequestReader.read(document) instanceof Complete complete
                ? ResponseRoom.tokens(new LocalFiles(null).look(complete.request()))
                : ResponseRoom.USUAL_TOKENS; // the planner says what is wrong
    }

    private void sets(ArrayNode sets) {
        List<String> names = new ArrayList<>();
        for (Path file : prompts) {
            String name = nameOf(file);
            for (int n = 2; names.contains(name); n++) {
                name = nameOf(file) + "-" + n;
            }
            names.add(name);
            ObjectNode set = sets.addObject()
                    .put("name", name)
                    .put("prompts", absolute(file))
                    .put(SAMPLES, USUAL_SAMPLES)
                    .put("temperature", USUAL_TEMPERATURE);
            sampling.into(set);
        }
    }

    /** Every directory that the services must be allowed to read. */
    public static List<Path> roots(ObjectNode document) {
        List<String> files = new ArrayList<>();
        files.add(document.path("model").path("path").asText());
        files.add(document.path("data").path("prompts").asText());
        document.path(SETS).forEach(set -> files.add(set.path("prompts").asText()));
        return files.stream()
                .filter(file -> !file.isEmpty())
                .map(file -> Path.of(file).toAbsolutePath().getParent())
                .distinct()
                .toList();
    }

    private static ObjectNode group(ObjectNode document, String key) {
        return document.path(key) instanceof ObjectNode known ? known : document.putObject(key);
    }

    private static String absolute(Path file) {
        return file.toAbsolutePath().normalize().toString();
    }

    private static String nameOf(Path file) {
        String name = String.valueOf(file.getFileName())
                .replaceFirst("\\.[^.]*$", "")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9-]+", "-")
                .replaceAll("^-+|-+$", "");
        return name.isEmpty() ? "set" : name.substring(0, Math.min(LONGEST_NAME, name.length()));
    }
}
